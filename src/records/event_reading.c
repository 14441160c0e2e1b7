#include "records/event_reading.h"

#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* The functions below read on after a value that is wrong, and note its key, which the caller tells at the end. */
struct reading {
	const char *wrong; /* the key of the last value that was wrong; NULL: none was */
};

static const json_t *get(struct reading *reading, const json_t *object, const char *key, bool is_right)
{
	if (!is_right)
		reading->wrong = key;
	return json_object_get(object, key);
}

/* A string, or NULL for null. */
static const char *get_text(struct reading *reading, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_string_value(get(reading, object, key, json_is_string(value) || json_is_null(value)));
}

/* A string, which must not be null; "" if it is wrong. */
static const char *get_word(struct reading *reading, const json_t *object, const char *key)
{
	const char *text = get_text(reading, object, key);

	if (text != NULL)
		return text;
	reading->wrong = key;
	return "";
}

static int get_int(struct reading *reading, const json_t *object, const char *key, int least)
{
	json_int_t number = json_integer_value(
		get(reading, object, key, json_is_integer(json_object_get(object, key))));

	if (number >= least && number <= INT_MAX)
		return (int)number;
	reading->wrong = key;
	return least;
}

static bool get_bool(struct reading *reading, const json_t *object, const char *key)
{
	return json_is_true(get(reading, object, key, json_is_boolean(json_object_get(object, key))));
}

/* Seconds as milliseconds, within some 30,000 years of 1970. */
static int64_t get_ms(struct reading *reading, const json_t *object, const char *key)
{
	double seconds = json_number_value(get(reading, object, key, json_is_number(json_object_get(object, key))));

	if (seconds > -1e12 && seconds < 1e12)
		return (int64_t)(seconds * 1000.0 + (seconds < 0 ? -0.5 : 0.5));
	reading->wrong = key;
	return 0;
}

/* The number of the key's string among `count` names. A first name that is "" is written as null. */
static int get_name(struct reading *reading, const json_t *object, const char *key, int count,
		    const char *(*name_of)(int number))
{
	const char *name = get_text(reading, object, key);

	for (int i = 0; i < count; i++) {
		if (strcmp(name_of(i), name != NULL ? name : "") == 0)
			return i;
	}
	reading->wrong = key;
	return 0;
}

static const char *name_of_reason(int number)
{
	return reason_name((enum reason)number);
}

static const char *name_of_rule(int number)
{
	return rule_name((enum rule)number);
}

static const char *name_of_place(int number)
{
	return place_name((enum place)number);
}

static const char *name_of_condition(int number)
{
	return condition_name((enum condition)number);
}

static const char *name_of_state(int number)
{
	return event_run_state_name((enum event_run_state)number);
}

/* A node, of which the caller has a reference, or NULL for null. */
static struct node_view *read_node(struct reading *reading, const json_t *from)
{
	if (json_is_null(from))
		return NULL;
	return node_view_new(&(struct node_view){
		.host = get_word(reading, from, "host"),
		.port = get_int(reading, from, "port", 0),
		.cluster_id = get_int(reading, from, "cluster_id", -1),
		.is_slave = get_bool(reading, from, "is_slave"),
		.master_name = get_word(reading, from, "master_name"),
		.name = get_word(reading, from, "name"),
		.state = (enum place)get_name(reading, from, "state", PLACE_LOST + 1, name_of_place),
		.condition = (enum condition)get_name(reading, from, "condition", CONDITION_UNKNOWN + 1,
						      name_of_condition),
		.has_lag = json_is_number(json_object_get(from, "lag")),
		.lag_ms = json_is_number(json_object_get(from, "lag")) ? get_ms(reading, from, "lag") : 0,
		.reason = (enum reason)get_name(reading, from, "reason", REASONS, name_of_reason),
		.message = get_text(reading, from, "message"),
		.failing = json_string_value(json_object_get(from, "failing")),
		.since_ms = get_ms(reading, from, "since"),
		.server_version = json_is_null(json_object_get(from, "server_version"))
					  ? 0
					  : get_int(reading, from, "server_version", 0),
	});
}

static void read_witnesses(struct reading *reading, const json_t *list, struct event *event)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(list))
		reading->wrong = "witnesses";
	event->witnesses = mem_zalloc(json_array_size(list), sizeof(struct node_view *));
	json_array_foreach(list, i, item) {
		struct node_view *node = read_node(reading, item);

		if (node != NULL)
			event->witnesses[event->witness_count++] = node;
	}
}

static enum vote_says read_says(struct reading *reading, const json_t *from)
{
	enum vote_says says = vote_says_parse(get_word(reading, from, "sees"));

	if (says == VOTE_SAYS)
		reading->wrong = "sees";
	return says == VOTE_SAYS ? VOTE_OPEN : says;
}

static void read_votes(struct reading *reading, const json_t *list, struct event *event)
{
	const json_t *item;
	size_t i;

	if (json_array_size(list) > 0) /* events that an older plusmoin has stored have no votes */
		event->votes = votes_new();
	json_array_foreach(list, i, item) {
		votes_add(event->votes, get_word(reading, item, "monitor"), read_says(reading, item),
			  reason_parse(json_string_value(json_object_get(item, "reason"))));
	}
}

static void read_nodes(struct reading *reading, const json_t *from, struct event *event)
{
	event->node = read_node(reading, json_object_get(from, "node"));
	event->rival = read_node(reading, json_object_get(from, "rival"));
	read_witnesses(reading, json_object_get(from, "witnesses"), event);
	read_votes(reading, json_object_get(from, "votes"), event);
}

/* Whether the event is about the monitor itself, and so shows no cluster and no node. */
static bool is_own(enum event_kind kind)
{
	return kind == EVENT_MONITOR_ISOLATED || kind == EVENT_MONITOR_RECONNECTED;
}

static struct event *read_event(struct reading *reading, const json_t *from, const struct board *board)
{
	enum event_kind kind = event_kind_parse(get_word(reading, from, "name"));
	int cluster_id = get_int(reading, from, "cluster_id", -1);
	struct view *none = view_new_empty();
	struct view *view = cluster_id >= 0 ? board_find(board, cluster_id) : NULL;
	struct event *event;

	if (kind == EVENT_NONE)
		reading->wrong = "name";
	event = event_new(kind, get_word(reading, from, "id"), view != NULL ? view : none,
			  is_own(kind) ? none : board->clusterless, get_ms(reading, from, "time"));
	if (view == NULL)
		none->cluster_id = cluster_id; /* it may be changed, as only this event has it yet */
	view_unref(&none);
	event->cluster_id = cluster_id;
	event->came_from = get_int(reading, from, "came_from", -1);
	event->rule = (enum rule)get_name(reading, from, "rule", RULES, name_of_rule);
	event->restored = get_bool(reading, from, "restored");
	read_nodes(reading, from, event);
	return event;
}

static void read_runs(struct reading *reading, const json_t *list, struct event_record *record)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(list))
		reading->wrong = "runs";
	record->runs = mem_zalloc(json_array_size(list), sizeof(*record->runs));
	json_array_foreach(list, i, item) {
		record->runs[record->run_count++] = (struct event_run){
			.trigger = mem_strdup(get_word(reading, item, "trigger")),
			.state = (enum event_run_state)get_name(reading, item, "state", EVENT_RUN_UNKNOWN + 1, name_of_state),
			.outcome = mem_strdup(get_text(reading, item, "outcome")),
		};
	}
}

bool event_reading_make(const char *text, size_t len, const struct board *board, struct event_record *record,
			char **why)
{
	struct reading reading = { 0 };
	json_error_t error;
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);

	*record = (struct event_record){ 0 };
	*why = NULL;
	if (!json_is_object(root)) {
		*why = mem_printf("%s", root == NULL ? error.text : "no object");
		json_decref(root);
		return false;
	}
	record->event = read_event(&reading, root, board);
	read_runs(&reading, json_object_get(root, "runs"), record);
	json_decref(root);
	if (reading.wrong == NULL)
		return true;
	*why = mem_printf("\"%s\" is missing or wrong", reading.wrong);
	event_record_clear(record);
	return false;
}
