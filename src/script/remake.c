#include "script/remake.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

/* Logs and notes that no other host can be made. Takes over `why`. */
static void fail(struct load *load, char *why)
{
	log_error("no script host can be made from the configuration as it was accepted: %s; %s", why,
		  load->host != NULL ? "the present one goes on"
				     : "triggers in Lua are dropped until a reload");
	load_lacks(load, why);
}

/* How the actions differ, in words for people; NULL: they do not. The caller frees it. */
static char *compare_actions(const struct config_action *accepted, const struct config_action *now)
{
	if ((accepted->argv == NULL) != (now->argv == NULL))
		return mem_printf("%s is %s now", accepted->path,
				  now->argv == NULL ? "a function" : "a command");
	if (accepted->argv != NULL)
		return NULL;
	if (accepted->function == now->function && accepted->code == now->code &&
	    text_same(accepted->path, now->path) && text_same(accepted->source, now->source))
		return NULL;
	return mem_printf("%s is another function than before, at %s (it was at %s)", accepted->path,
			  now->source, accepted->source);
}

/* How the functions differ from the accepted ones, in words for people; NULL: they do not. The caller frees it. */
static char *find_difference(const struct config *accepted, const struct config *now)
{
	char *difference = NULL;

	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS && difference == NULL; kind++) {
		const struct config_trigger *was = &accepted->triggers[kind];
		const struct config_trigger *is = &now->triggers[kind];

		if (was->count != is->count)
			return mem_printf("triggers.%s has %zu entries now, %zu before",
					  event_kind_name((enum event_kind)kind), is->count,
					  was->count);
		for (size_t i = 0; i < was->count && difference == NULL; i++)
			difference = compare_actions(&was->actions[i], &is->actions[i]);
	}
	return difference;
}

static void give_up_next(struct load *load, bool held, char *why)
{
	struct host *next = load->next;

	load->next = NULL;
	load->events->spare(load->data, next, held);
	fail(load, why);
}

static void on_next_time(void *data)
{
	give_up_next(data, true, mem_printf("it took longer than %d s, in one call that Lua cannot"
					    " end", HOST_LOAD_MS / 1000));
}

void load_take_next(struct load *load)
{
	struct load_report report;
	struct config *config;
	struct host *next;
	char *why;

	timer_stop(load->next_timer);
	host_take(load->next, &config, &report);
	if (config == NULL)
		why = mem_strdup(report.error_count > 0 ? report.errors[0] : "it has errors");
	else
		why = find_difference(load->config, config);
	config_unref(&config);
	load_report_free(&report);
	if (why != NULL) {
		give_up_next(load, false, why);
		return;
	}
	log_error("a new script host runs triggers in Lua, from %s as it was accepted",
		  load->config->path);
	next = load->next;
	load->next = NULL;
	load_take_host(load, next);
}

void load_make_again(struct load *load, struct shared *shared, struct mailbox *mailbox)
{
	const char *lack = record_lack(load->record);

	if (load->next != NULL)
		return;
	if (lack == NULL)
		load->next = host_make_again(load->config, load->record, shared, mailbox);
	if (load->next == NULL) {
		fail(load, mem_strdup(lack != NULL ? lack : "no thread can be started for it"));
		return;
	}
	if (load->next_timer == NULL)
		load->next_timer = timer_new(load->loop, on_next_time, load);
	timer_start(load->next_timer, HOST_LOAD_MS + HOST_SIGN_MS);
	load->events->changed(load->data);
}
