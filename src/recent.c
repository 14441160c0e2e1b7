#include "recent.h"

#include <string.h>

static struct event *at(const struct recent *recent, size_t index)
{
	return recent->events[(recent->first + index) % RECENT_EVENTS];
}

void recent_add(struct recent *recent, struct event *event)
{
	if (event->kind == EVENT_HEARTBEAT)
		return;
	if (recent->count == RECENT_EVENTS) {
		event_unref(&recent->events[recent->first]);
		recent->first = (recent->first + 1) % RECENT_EVENTS;
		recent->count--;
	}
	recent->events[(recent->first + recent->count++) % RECENT_EVENTS] = event_ref(event);
}

static void add_string(struct json *json, const char *key, const char *text)
{
	jsonw_key(json, key);
	if (text != NULL && text[0] != '\0')
		jsonw_string(json, text);
	else
		jsonw_null(json);
}

static void render_event(const struct event *event, struct json *json)
{
	jsonw_begin_object(json);
	add_string(json, "id", event->id);
	jsonw_key(json, "time");
	jsonw_seconds(json, event->time_ms);
	add_string(json, "name", event_kind_name(event->kind));
	jsonw_key(json, "cluster_id");
	jsonw_int(json, event->cluster_id);
	add_string(json, "node", event->has_node ? event->node.name : NULL);
	add_string(json, "rule", event->rule != RULE_NONE ? rule_name(event->rule) : NULL);
	add_string(json, "reason", event->has_node ? reason_name(event->node.reason) : NULL);
	add_string(json, "message", event->has_node ? event->node.message : NULL);
	jsonw_key(json, "restored");
	jsonw_bool(json, event->restored);
	jsonw_end_object(json);
}

void recent_render(const struct recent *recent, const char *since, struct json *json)
{
	size_t from = 0;

	for (size_t i = 0; since != NULL && i < recent->count; i++) {
		if (strcmp(at(recent, i)->id, since) == 0)
			from = i + 1;
	}
	jsonw_key(json, "events");
	jsonw_begin_array(json);
	for (size_t i = from; i < recent->count; i++)
		render_event(at(recent, i), json);
	jsonw_end_array(json);
}

void recent_free(struct recent *recent)
{
	for (size_t i = 0; i < recent->count; i++) {
		struct event *event = at(recent, i);

		event_unref(&event);
	}
	*recent = (struct recent){ 0 };
}
