#include "process/environment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

static const char *const dropped[] = { "PGPASSWORD", "PGSSLPASSWORD", "NOTIFY_SOCKET" };
static const char *const dropped_prefixes[] = { "WATCHDOG_", "LISTEN_", "PLUSMOIN_" };
static const char *const harmless[] = { "HOME", "USER", "LOGNAME", "SHELL", "PATH", "LANG" };

static bool is_one_of(const char *name, size_t len, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strlen(names[i]) == len && strncmp(names[i], name, len) == 0)
			return true;
	}
	return false;
}

static bool is_kept(const char *variable)
{
	const char *equals = strchr(variable, '=');
	size_t len = equals != NULL ? (size_t)(equals - variable) : strlen(variable);

	if (is_one_of(variable, len, dropped, sizeof(dropped) / sizeof(dropped[0])))
		return false;
	for (size_t i = 0; i < sizeof(dropped_prefixes) / sizeof(dropped_prefixes[0]); i++) {
		if (strncmp(variable, dropped_prefixes[i], strlen(dropped_prefixes[i])) == 0)
			return false;
	}
	if (equals == NULL || is_one_of(variable, len, harmless,
					sizeof(harmless) / sizeof(harmless[0])))
		return true;
	return !secret_is(equals + 1);
}

static void add(char **environment, size_t *count, const char *name, const char *value)
{
	environment[(*count)++] = mem_printf("%s=%s", name, value);
}

static void add_number(char **environment, size_t *count, const char *name, long number)
{
	environment[(*count)++] = mem_printf("%s=%ld", name, number);
}

#define WITNESSES_BYTES 65536 /* below the kernel's limit of 128 KiB for a variable */

/* Adds the witnesses as "host:port host:port". */
static void add_witnesses(char **environment, size_t *count, const struct event *event)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < event->witness_count && text.len < WITNESSES_BYTES; i++)
		buf_addf(&text, "%s%s:%d", i > 0 ? " " : "", event->witnesses[i]->host, event->witnesses[i]->port);
	add(environment, count, "PLUSMOIN_WITNESSES", text.data);
	buf_free(&text);
}

static void add_event(char **out, size_t *n, const struct event *event)
{
	add(out, n, "PLUSMOIN_TRIGGER", event_kind_name(event->kind));
	add(out, n, "PLUSMOIN_EVENT_ID", event->id);
	add_number(out, n, "PLUSMOIN_CLUSTER_ID", event->cluster_id);
	if (event->rule != RULE_NONE)
		add(out, n, "PLUSMOIN_RULE", rule_name(event->rule));
	if (event->node != NULL) {
		add(out, n, "PLUSMOIN_NODE_HOST", event->node->host);
		add_number(out, n, "PLUSMOIN_NODE_PORT", event->node->port);
		if (event->node->reason != REASON_NONE)
			add(out, n, "PLUSMOIN_NODE_REASON", reason_name(event->node->reason));
	}
	if (event->rival != NULL) {
		add(out, n, "PLUSMOIN_RIVAL_HOST", event->rival->host);
		add_number(out, n, "PLUSMOIN_RIVAL_PORT", event->rival->port);
	}
	if (event->restored)
		add(out, n, "PLUSMOIN_RESTORED", "1");
	if (event->term > 0)
		add_number(out, n, "PLUSMOIN_TERM", event->term);
	if (event->term > 0 && event->again)
		add(out, n, "PLUSMOIN_RERUN", "1");
	if (event->witness_count > 0)
		add_witnesses(out, n, event);
	if (event->view->master != NULL) {
		add(out, n, "PLUSMOIN_MASTER_HOST", event->view->master->host);
		add_number(out, n, "PLUSMOIN_MASTER_PORT", event->view->master->port);
	}
}

char **environment_new(const struct event *event)
{
	size_t count = 0;
	size_t total = 0;
	char **out;

	while (environ[total] != NULL)
		total++;
	out = mem_zalloc(total + 20, sizeof(*out));
	for (size_t i = 0; i < total; i++) {
		if (is_kept(environ[i]))
			out[count++] = mem_strdup(environ[i]);
	}
	if (event != NULL)
		add_event(out, &count, event);
	return out;
}

static bool is_named(const char *variable, const char *name)
{
	size_t len = strlen(name);

	return strncmp(variable, name, len) == 0 && variable[len] == '=';
}

void environment_set(char ***environment, const char *name, const char *value)
{
	char **list = *environment;
	size_t count = 0;

	for (size_t i = 0; list[i] != NULL; i++) {
		if (is_named(list[i], name))
			free(list[i]);
		else
			list[count++] = list[i];
	}
	list[count] = NULL;
	if (value == NULL)
		return;
	list = mem_grow(list, count + 2, sizeof(*list));
	list[count] = mem_printf("%s=%s", name, value);
	list[count + 1] = NULL;
	*environment = list;
}

void environment_free(char ***environment_p)
{
	mem_free_strings(*environment_p);
	*environment_p = NULL;
}
