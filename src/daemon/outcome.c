#include "daemon/outcome.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

struct waiter {
	unsigned long client;
	unsigned long load;
};

void outcome_wait(struct outcome_waiters *waiters, unsigned long client, unsigned long load)
{
	struct waiter *waiter = mem_zalloc(1, sizeof(*waiter));

	*waiter = (struct waiter){ .client = client, .load = load };
	list_add(&waiters->waiting, waiter);
}

void outcome_tell(struct outcome_waiters *waiters, struct control *control, unsigned long load,
		  struct shared_text *text)
{
	for (size_t i = 0; i < waiters->waiting.count;) {
		struct waiter *waiter = waiters->waiting.items[i];

		if (waiter->load > load) {
			i++;
			continue;
		}
		list_remove(&waiters->waiting, waiter);
		if (control != NULL)
			control_answer(control, waiter->client, text);
		free(waiter);
	}
}

void outcome_free(struct outcome_waiters *waiters)
{
	void *waiter;

	while ((waiter = list_shift(&waiters->waiting)) != NULL)
		free(waiter);
	list_free(&waiters->waiting);
}

#define RESTART_KEYS 12

struct restart_keys {
	const char *names[RESTART_KEYS];
	size_t count;
};

static void see_key(struct restart_keys *keys, const char *name, bool is_same)
{
	if (!is_same)
		keys->names[keys->count++] = name;
}

static bool same_etcd(const struct config_monitors *a, const struct config_monitors *b)
{
	bool same = a->etcd_count == b->etcd_count;

	for (size_t i = 0; same && i < a->etcd_count; i++)
		same = strcmp(a->etcd[i], b->etcd[i]) == 0;
	return same;
}

static void find_keys_of_monitors(const struct config_monitors *a, const struct config_monitors *b,
				  struct restart_keys *keys)
{
	if ((a->etcd_count == 0) != (b->etcd_count == 0)) {
		see_key(keys, "monitors", false);
		return;
	}
	see_key(keys, "monitors.etcd", same_etcd(a, b));
	see_key(keys, "monitors.prefix", text_same(a->prefix, b->prefix));
	see_key(keys, "monitors.name", text_same(a->name, b->name));
	see_key(keys, "monitors.ttl", a->ttl_ms == b->ttl_ms);
	see_key(keys, "monitors.user", text_same(a->user, b->user));
	see_key(keys, "monitors.password", text_same(a->password, b->password));
	see_key(keys, "monitors.cafile", text_same(a->cafile, b->cafile));
	see_key(keys, "monitors.certfile", text_same(a->certfile, b->certfile));
	see_key(keys, "monitors.keyfile", text_same(a->keyfile, b->keyfile));
}

/* Finds the keys that need a restart and differ from the start's. */
static void find_restart_keys(const struct config *first, const struct config *now, struct restart_keys *keys)
{
	*keys = (struct restart_keys){ 0 };
	see_key(keys, "daemon_user", strcmp(first->daemon_user, now->daemon_user) == 0);
	see_key(keys, "pid_file", strcmp(first->pid_file, now->pid_file) == 0);
	see_key(keys, "control_socket", strcmp(first->control_socket, now->control_socket) == 0);
	find_keys_of_monitors(&first->monitors, &now->monitors, keys);
}

void outcome_say_restart(const struct config *first, const struct config *now)
{
	struct restart_keys keys;

	find_restart_keys(first, now, &keys);
	for (size_t i = 0; i < keys.count; i++)
		log_error("%s needs a restart: the running value stays", keys.names[i]);
}

static void add_lines(struct json *json, const char *key, char *const *lines, size_t count)
{
	jsonw_key(json, key);
	jsonw_begin_array(json);
	for (size_t i = 0; i < count; i++)
		jsonw_string(json, lines[i]);
	jsonw_end_array(json);
}

/* Writes the nodes of `config` that `other` does not have. */
static void add_nodes(struct json *json, const char *key, const struct config *config,
		      const struct config *other)
{
	size_t at = 0;

	jsonw_key(json, key);
	jsonw_begin_array(json);
	for (size_t i = 0; i < config->node_count; i++) {
		if (config_find_next(other, config->nodes[i].id, &at) == NULL)
			jsonw_string(json, config->nodes[i].id);
	}
	jsonw_end_array(json);
}

static void add_taken(struct json *json, const struct config *first, const struct config *before,
		      const struct config *now)
{
	struct restart_keys keys;

	add_nodes(json, "added", now, before);
	add_nodes(json, "removed", before, now);
	find_restart_keys(first, now, &keys);
	jsonw_key(json, "restart");
	jsonw_begin_array(json);
	for (size_t i = 0; i < keys.count; i++)
		jsonw_string(json, keys.names[i]);
	jsonw_end_array(json);
}

void outcome_render(struct buf *out, const struct config *first, const struct config *before,
		    const struct config *now, const struct load_report *report)
{
	struct json json = { .out = out };

	jsonw_begin_object(&json);
	jsonw_key(&json, "ok");
	jsonw_bool(&json, now != NULL);
	if (now == NULL) {
		jsonw_key(&json, "error");
		jsonw_string(&json, "configuration not reloaded: all stays as it was");
		add_lines(&json, "errors", report->errors, report->error_count);
	}
	add_lines(&json, "warnings", report->warnings, report->warning_count);
	if (now != NULL)
		add_taken(&json, first, before, now);
	jsonw_end_object(&json);
}
