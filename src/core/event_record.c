#include "core/event_record.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

const char *event_run_state_name(enum event_run_state state)
{
	static const char *const names[] = {
		[EVENT_RUN_QUEUED] = "queued",
		[EVENT_RUN_STARTED] = "started",
		[EVENT_RUN_DONE] = "done",
		[EVENT_RUN_UNKNOWN] = "unknown",
	};

	return names[state];
}

char *event_record_key(unsigned long number)
{
	return mem_printf(EVENT_RECORDS "%012lu", number);
}

unsigned long event_record_number(const char *id)
{
	const char *number = strchr(id, '-');

	return number != NULL ? strtoul(number + 1, NULL, 10) : 0;
}

static void add_string(struct json *json, const char *key, const char *text)
{
	jsonw_key(json, key);
	jsonw_string(json, text != NULL && text[0] != '\0' ? text : NULL);
}

static void add_int(struct json *json, const char *key, int64_t value)
{
	jsonw_key(json, key);
	jsonw_int(json, value);
}

static void add_node(struct json *json, const char *key, const struct node_view *node)
{
	jsonw_key(json, key);
	if (node != NULL)
		node_view_render(node, true, json);
	else
		jsonw_null(json);
}

static void add_witnesses(struct json *json, const struct event *event)
{
	jsonw_key(json, "witnesses");
	jsonw_begin_array(json);
	for (size_t i = 0; i < event->witness_count; i++)
		node_view_render(event->witnesses[i], true, json);
	jsonw_end_array(json);
}

/* The reason and the message are the node's; they are repeated here for people who look at what is stored. */
static void add_event(struct json *json, const struct event *event)
{
	const struct node_view *node = event->node;

	add_string(json, "id", event->id);
	add_string(json, "name", event_kind_name(event->kind));
	jsonw_key(json, "time");
	jsonw_seconds(json, event->time_ms);
	add_int(json, "cluster_id", event->cluster_id);
	add_int(json, "came_from", event->came_from);
	add_node(json, "node", node);
	add_string(json, "rule", rule_name(event->rule));
	add_string(json, "reason", node != NULL ? reason_name(node->reason) : NULL);
	add_string(json, "message", node != NULL ? node->message : NULL);
	add_node(json, "rival", event->rival);
	add_witnesses(json, event);
	jsonw_key(json, "votes");
	votes_render(event->votes, json);
	jsonw_key(json, "restored");
	jsonw_bool(json, event->restored);
}

static void add_run(struct json *json, const struct event_run *run)
{
	jsonw_begin_object(json);
	add_string(json, "trigger", run->trigger);
	add_string(json, "state", event_run_state_name(run->state));
	jsonw_key(json, "outcome");
	jsonw_string(json, run->outcome);
	jsonw_end_object(json);
}

void event_record_render(const struct event_record *record, struct buf *out)
{
	struct json json = { .out = out };

	jsonw_begin_object(&json);
	add_event(&json, record->event);
	jsonw_key(&json, "runs");
	jsonw_begin_array(&json);
	for (size_t i = 0; i < record->run_count; i++)
		add_run(&json, &record->runs[i]);
	jsonw_end_array(&json);
	jsonw_end_object(&json);
}

void event_record_clear(struct event_record *record)
{
	event_unref(&record->event);
	for (size_t i = 0; i < record->run_count; i++) {
		free(record->runs[i].trigger);
		free(record->runs[i].outcome);
	}
	free(record->runs);
	*record = (struct event_record){ 0 };
}
