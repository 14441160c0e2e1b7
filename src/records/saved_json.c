#include "records/saved_json.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define CLUSTERS_MAX 100000
#define ID_MAX (INT_MAX - CLUSTERS_MAX)

/* The functions below read on after a value that is wrong, and note its key, for which the object is then left out. */
struct reader {
	const char *wrong; /* the key of the last value that was wrong; NULL: none was */
};

void saved_json_damage(struct saved_damage *damage, const char *what)
{
	if (damage->count++ == 0)
		damage->first = what;
}

/* Whether the object that `reader` has read is to be left out, which is counted then. */
static bool is_left_out(const struct reader *reader, struct saved_damage *damage)
{
	if (reader->wrong == NULL)
		return false;
	saved_json_damage(damage, reader->wrong);
	return true;
}

static const json_t *get(struct reader *reader, const json_t *object, const char *key,
			 json_type type)
{
	const json_t *value = json_object_get(object, key);

	if (value != NULL && json_typeof(value) == type)
		return value;
	reader->wrong = key;
	return NULL;
}

static int64_t get_int(struct reader *reader, const json_t *object, const char *key, int64_t max)
{
	int64_t number = json_integer_value(get(reader, object, key, JSON_INTEGER));

	if (number >= 0 && number <= max)
		return number;
	reader->wrong = key;
	return 0;
}

static char *get_string(struct reader *reader, const json_t *object, const char *key)
{
	const char *text = json_string_value(get(reader, object, key, JSON_STRING));

	return mem_strdup(text != NULL ? text : "");
}

static bool get_bool(struct reader *reader, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_boolean(value))
		reader->wrong = key;
	return json_is_true(value);
}

static enum place get_place(struct reader *reader, const json_t *object)
{
	const char *name = json_string_value(get(reader, object, "place", JSON_STRING));

	for (int place = PLACE_MASTER; name != NULL && place <= PLACE_LOST; place++) {
		if (strcmp(name, place_name((enum place)place)) == 0)
			return (enum place)place;
	}
	reader->wrong = "place";
	return PLACE_LOST;
}

static void read_aliases(struct reader *reader, const json_t *list, struct saved_node *node)
{
	for (size_t i = 0; i < json_array_size(list) && i < NODE_ALIASES; i++) {
		const char *alias = json_string_value(json_array_get(list, i));

		if (alias == NULL)
			reader->wrong = "aliases";
		node->aliases[i] = mem_strdup(alias != NULL ? alias : "");
	}
}

static void read_node(struct reader *reader, const json_t *from, bool in_file, struct saved_node *node)
{
	node->id = get_string(reader, from, "id");
	node->place = get_place(reader, from);
	node->is_slave = get_bool(reader, from, "is_slave");
	node->master_name = get_string(reader, from, "master_name");
	node->sat_last = in_file && get_bool(reader, from, "sat_last");
	node->has_shown = json_object_get(from, "shown") != NULL;
	if (node->has_shown)
		node->shown = get_int(reader, from, "shown", INT64_MAX);
	read_aliases(reader, get(reader, from, "aliases", JSON_ARRAY), node);
	node->since_ms = get_int(reader, from, "since_ms", INT64_MAX);
	node->server_version = (int)get_int(reader, from, "server_version", INT_MAX);
	if (json_object_get(from, "stood_ms") == NULL)
		return; /* an older plusmoin has saved it, which did not know these */
	node->stood_ms = get_int(reader, from, "stood_ms", INT64_MAX);
	node->went_ms = get_int(reader, from, "went_ms", INT64_MAX);
	node->held = get_bool(reader, from, "held");
}

bool saved_json_node(const json_t *from, bool in_file, struct saved_node *node, struct saved_damage *damage)
{
	struct reader reader = { 0 };

	read_node(&reader, from, in_file, node);
	if (!is_left_out(&reader, damage))
		return true;
	saved_node_clear(node);
	return false;
}

int saved_json_cluster_of(const json_t *node)
{
	struct reader reader = { 0 };
	int64_t id = get_int(&reader, node, "cluster_id", ID_MAX);

	return reader.wrong == NULL ? (int)id : -1;
}

static void read_holders(const json_t *list, struct saved_cluster *cluster, struct saved_damage *damage)
{
	const json_t *item;
	size_t i;

	cluster->holders = mem_zalloc(json_array_size(list), sizeof(*cluster->holders));
	json_array_foreach(list, i, item) {
		struct reader reader = { 0 };
		struct holder *holder = &cluster->holders[cluster->holder_count];

		holder->name = get_string(&reader, item, "name");
		holder->last_tstamp = get_int(&reader, item, "last_tstamp", INT64_MAX);
		if (is_left_out(&reader, damage))
			free(holder->name);
		else
			cluster->holder_count++;
	}
}

/* Reads the times of beats; a cluster whose times are missing or wrong begins with its next beat. */
static void read_beats(const json_t *from, struct saved_cluster *cluster, struct saved_damage *damage)
{
	struct reader reader = { 0 };

	cluster->has_beats = json_object_get(from, "last_tstamp") != NULL;
	if (!cluster->has_beats)
		return;
	cluster->first_tstamp = get_int(&reader, from, "first_tstamp", INT64_MAX);
	cluster->last_tstamp = get_int(&reader, from, "last_tstamp", INT64_MAX);
	cluster->has_beats = !is_left_out(&reader, damage);
}

bool saved_json_cluster(const json_t *from, bool in_file, struct saved_cluster *cluster, struct saved_damage *damage)
{
	struct reader reader = { 0 };
	const json_t *holders;

	if (in_file)
		(void)get(&reader, from, "nodes", JSON_ARRAY);
	holders = get(&reader, from, "holders", JSON_ARRAY);
	cluster->id = (int)get_int(&reader, from, "id", ID_MAX);
	if (is_left_out(&reader, damage))
		return false;
	read_beats(from, cluster, damage);
	read_holders(holders, cluster, damage);
	return true;
}

bool saved_json_counts(const json_t *root, struct saved *saved, struct saved_damage *damage)
{
	struct reader reader = { 0 };
	struct reader format = { 0 };

	saved->next_id = (int)get_int(&reader, root, "next_id", ID_MAX);
	saved->event_count = (unsigned long)get_int(&reader, root, "event_count", INT64_MAX / 2);
	(void)is_left_out(&reader, damage);
	return get_int(&format, root, "version", SAVED_VERSION) == SAVED_VERSION;
}
