#include "daemon/recent.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/aliases.h"
#include "core/rulebook.h"
#include "core/why.h"

#define NODE_EVENTS 5 /* events that are shown with a node */
#define SEEN_LOOKS 4  /* looks at its node that are kept with an event */

static const struct recent_event *at(const struct recent *recent, size_t index)
{
	return &recent->events[(recent->first + index) % RECENT_EVENTS];
}

static bool is_kept(const struct event *event)
{
	return event->kind != EVENT_HEARTBEAT;
}

static void forget(struct recent_event *one)
{
	free(one->node);
	free(one->place);
	free(one->message);
	free(one->seen);
	free(one->votes);
	free(one->silenced);
	buf_free(&one->outcomes);
}

/* Renders the last looks at the event's node until now; NULL: it is about none. */
static char *seen_until(const char *place, const struct fleet *fleet)
{
	const struct node *node = place != NULL ? fleet_named(fleet, NULL, place) : NULL;
	struct buf text = { 0 };
	struct json json = { .out = &text };

	if (node == NULL)
		return NULL;
	why_seen(node, SEEN_LOOKS, &json);
	return buf_steal(&text);
}

/* Renders the event's votes; NULL: nobody has voted. */
static char *votes_of(const struct event *event)
{
	struct buf text = { 0 };
	struct json json = { .out = &text };

	if (event->votes == NULL)
		return NULL;
	votes_render(event->votes, &json);
	return buf_steal(&text);
}

void recent_add(struct recent *recent, const struct event *event, const struct fleet *fleet)
{
	struct recent_event *one;

	if (!is_kept(event))
		return;
	if (recent->count == RECENT_EVENTS) {
		forget(&recent->events[recent->first]);
		recent->first = (recent->first + 1) % RECENT_EVENTS;
		recent->count--;
	}
	one = &recent->events[(recent->first + recent->count++) % RECENT_EVENTS];
	*one = (struct recent_event){
		.kind = event->kind,
		.time_ms = event->time_ms,
		.cluster_id = event->cluster_id,
		.restored = event->restored,
		.rule = event->rule,
		.reason = event->node != NULL ? event->node->reason : REASON_NONE,
		.node = mem_strdup(event->node != NULL ? event->node->name : NULL),
		.message = mem_strdup(event->node != NULL ? event->node->message : NULL),
	};
	if (event->node != NULL)
		one->place = mem_printf("%s:%d", event->node->host, event->node->port);
	one->seen = seen_until(one->place, fleet);
	one->votes = votes_of(event);
	one->silenced = mem_strdup(event->silenced);
	text_copy(one->id, sizeof(one->id), event->id);
}

static void add_string(struct json *json, const char *key, const char *text)
{
	jsonw_key(json, key);
	if (text != NULL && text[0] != '\0')
		jsonw_string(json, text);
	else
		jsonw_null(json);
}

static void add_keys(const struct recent_event *event, struct json *json)
{
	add_string(json, "id", event->id);
	jsonw_key(json, "time");
	jsonw_seconds(json, event->time_ms);
	add_string(json, "name", event_kind_name(event->kind));
	jsonw_key(json, "cluster_id");
	jsonw_int(json, event->cluster_id);
	add_string(json, "node", event->node);
	add_string(json, "rule", rule_name(event->rule));
	add_string(json, "sentence", rule_row(event->rule)->sentence);
	add_string(json, "reason", reason_name(event->reason));
	add_string(json, "message", event->message);
	jsonw_key(json, "restored");
	jsonw_bool(json, event->restored);
	if (event->votes != NULL) {
		jsonw_key(json, "votes");
		jsonw_raw(json, event->votes);
	}
	if (event->silenced != NULL)
		add_string(json, "silenced", event->silenced);
}

static void render_event(const struct recent_event *event, struct json *json)
{
	jsonw_begin_object(json);
	add_keys(event, json);
	jsonw_end_object(json);
}

void recent_render_newest(const struct recent *recent, struct json *json)
{
	render_event(at(recent, recent->count - 1), json);
}

/* Returns the number of an event, the second half of its id. */
static unsigned long number_of(const char *id)
{
	const char *number = strchr(id, '-');

	return number != NULL ? strtoul(number + 1, NULL, 10) : 0;
}

/* Searches for the event by its number, as numbers rise from the oldest to the newest. */
static struct recent_event *find(const struct recent *recent, const char *id)
{
	unsigned long number = number_of(id);
	size_t low = 0;
	size_t high = recent->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (number_of(at(recent, middle)->id) < number)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == recent->count || strcmp(at(recent, low)->id, id) != 0)
		return NULL;
	return (struct recent_event *)at(recent, low);
}

static void add_outcome(struct json *json, const char *path, const char *how)
{
	jsonw_begin_object(json);
	add_string(json, "trigger", path);
	add_string(json, "outcome", how);
	jsonw_end_object(json);
}

static void on_left(void *data, const struct event *event, const char *path, const char *how)
{
	(void)event;
	add_outcome(data, path, how);
}

void recent_tell(struct recent *recent, const struct event *event, const char *path,
		 const char *how)
{
	struct recent_event *one = is_kept(event) ? find(recent, event->id) : NULL;
	struct json json = { 0 };
	char words[512];

	if (one == NULL || one->outcomes.len > RECENT_OUTCOMES)
		return;
	text_copy(words, sizeof(words), how);
	json.out = &one->outcomes;
	json.comma = one->outcomes.len > 0;
	add_outcome(&json, path, words);
}

void recent_silence(struct recent *recent, const struct event *event, const char *words)
{
	struct recent_event *one = is_kept(event) ? find(recent, event->id) : NULL;

	if (one != NULL && one->silenced == NULL)
		one->silenced = mem_strdup(words);
}

bool recent_has(const struct recent *recent, const char *id)
{
	return find(recent, id) != NULL;
}

void recent_explain(const struct recent *recent, const char *id, const struct dispatch *dispatch,
		    struct json *json)
{
	const struct recent_event *one = find(recent, id);

	jsonw_key(json, "event");
	jsonw_begin_object(json);
	add_keys(one, json);
	jsonw_key(json, "seen");
	jsonw_raw(json, one->seen != NULL ? one->seen : "[]");
	jsonw_key(json, "triggers");
	jsonw_begin_array(json);
	if (one->outcomes.len > 0)
		jsonw_raw(json, buf_text(&one->outcomes));
	dispatch_tell_left(dispatch, id, on_left, json);
	jsonw_end_array(json);
	jsonw_end_object(json);
}

static bool is_about(const struct recent_event *event, const char *place)
{
	return event->place != NULL && strcmp(event->place, place) == 0;
}

void recent_render_node(const struct recent *recent, const char *place, struct json *json)
{
	size_t from = recent->count;
	size_t found = 0;

	while (from > 0 && found < NODE_EVENTS)
		found += is_about(at(recent, --from), place);
	jsonw_key(json, "events");
	jsonw_begin_array(json);
	for (size_t i = from; i < recent->count; i++) {
		const struct recent_event *one = at(recent, i);

		if (is_about(one, place))
			render_event(one, json);
	}
	jsonw_end_array(json);
}

void recent_render(const struct recent *recent, const char *since, struct json *json)
{
	size_t from = recent->count > RECENT_LISTED ? recent->count - RECENT_LISTED : 0;

	for (size_t i = 0; since != NULL && i < recent->count; i++) {
		if (strcmp(at(recent, i)->id, since) == 0 && i + 1 > from)
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
	for (size_t i = 0; i < recent->count; i++)
		forget(&recent->events[(recent->first + i) % RECENT_EVENTS]);
	*recent = (struct recent){ 0 };
}
