#include "records/saved_file.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define VERSION 1
#define CLUSTERS_MAX 100000

/* Reading goes on over what is wrong in an object, and says so at its end. */
struct reader {
	const char *wrong; /* NULL: nothing yet */
};

/* What was wrong is left out: a node, a cluster, a holder, a count. */
struct damage {
	size_t count;
	const char *first; /* the key */
};

/* Whether the object that `reader` has read is to be left out. */
static bool is_left_out(const struct reader *reader, struct damage *damage)
{
	if (reader->wrong == NULL)
		return false;
	if (damage->count++ == 0)
		damage->first = reader->wrong;
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

static void read_node(struct reader *reader, const json_t *from, struct saved_node *node)
{
	node->id = get_string(reader, from, "id");
	node->place = get_place(reader, from);
	node->is_slave = get_bool(reader, from, "is_slave");
	node->master_name = get_string(reader, from, "master_name");
	node->sat_last = get_bool(reader, from, "sat_last");
	node->has_shown = json_object_get(from, "shown") != NULL;
	if (node->has_shown)
		node->shown = get_int(reader, from, "shown", INT64_MAX);
	read_aliases(reader, get(reader, from, "aliases", JSON_ARRAY), node);
	node->since_ms = get_int(reader, from, "since_ms", INT64_MAX);
	node->server_version = (int)get_int(reader, from, "server_version", INT_MAX);
	if (json_object_get(from, "stood_ms") == NULL)
		return; /* an older plusmoin's */
	node->stood_ms = get_int(reader, from, "stood_ms", INT64_MAX);
	node->went_ms = get_int(reader, from, "went_ms", INT64_MAX);
	node->held = get_bool(reader, from, "held");
}

static void read_holders(const json_t *list, struct saved_cluster *cluster, struct damage *damage)
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

static void read_nodes(const json_t *list, struct saved_cluster *cluster, struct damage *damage)
{
	const json_t *item;
	size_t i;

	cluster->nodes = mem_zalloc(json_array_size(list), sizeof(*cluster->nodes));
	json_array_foreach(list, i, item) {
		struct reader reader = { 0 };
		struct saved_node *node = &cluster->nodes[cluster->node_count];

		read_node(&reader, item, node);
		if (is_left_out(&reader, damage))
			saved_node_clear(node);
		else
			cluster->node_count++;
	}
}

/* Without a beat it founds its times anew. */
static void read_beats(const json_t *from, struct saved_cluster *cluster, struct damage *damage)
{
	struct reader reader = { 0 };

	cluster->has_beats = json_object_get(from, "last_tstamp") != NULL;
	if (!cluster->has_beats)
		return;
	cluster->first_tstamp = get_int(&reader, from, "first_tstamp", INT64_MAX);
	cluster->last_tstamp = get_int(&reader, from, "last_tstamp", INT64_MAX);
	cluster->has_beats = !is_left_out(&reader, damage);
}

static void read_cluster(struct saved *saved, const json_t *from, struct damage *damage)
{
	struct saved_cluster *cluster = &saved->clusters[saved->cluster_count];
	struct reader reader = { 0 };
	const json_t *nodes = get(&reader, from, "nodes", JSON_ARRAY);
	const json_t *holders = get(&reader, from, "holders", JSON_ARRAY);

	cluster->id = (int)get_int(&reader, from, "id", INT_MAX - CLUSTERS_MAX);
	if (is_left_out(&reader, damage))
		return;
	read_beats(from, cluster, damage);
	read_holders(holders, cluster, damage);
	read_nodes(nodes, cluster, damage);
	saved->cluster_count++;
}

/* Where a count is wrong, ids begin behind those that are in use. */
static void read_counts(const json_t *root, struct saved *saved, struct damage *damage)
{
	struct reader reader = { 0 };

	saved->next_id = (int)get_int(&reader, root, "next_id", INT_MAX - CLUSTERS_MAX);
	saved->event_count = (unsigned long)get_int(&reader, root, "event_count", INT64_MAX / 2);
	(void)is_left_out(&reader, damage);
}

static struct saved *read_all(struct reader *reader, const json_t *root, struct damage *damage)
{
	struct saved *saved = mem_zalloc(1, sizeof(*saved));
	const json_t *clusters = get(reader, root, "clusters", JSON_ARRAY);
	const json_t *item;
	size_t i;

	if (get_int(reader, root, "version", VERSION) != VERSION)
		reader->wrong = "version";
	read_counts(root, saved, damage);
	saved->clusters = mem_zalloc(json_array_size(clusters), sizeof(*saved->clusters));
	json_array_foreach(clusters, i, item) {
		read_cluster(saved, item, damage);
	}
	return saved;
}

static void set_aside(const char *path, char **why, const char *wrong)
{
	char *aside = mem_printf("%s.damaged", path);

	if (rename(path, aside) == 0)
		*why = mem_printf("state file %s is damaged (%s) and was renamed to %s: starting"
				  " without it", path, wrong, aside);
	else
		*why = mem_printf("state file %s is damaged (%s) and cannot be renamed: %s; starting"
				  " without it", path, wrong, strerror(errno));
	free(aside);
}

/* The file is replaced soon; how it was can be looked at under another name. */
static char *say_left_out(const char *path, const struct damage *damage)
{
	char *aside = mem_printf("%s.damaged", path);
	char *text;

	(void)unlink(aside);
	text = mem_printf("state file %s is damaged (%s): %zu parts of it, nodes or clusters, are left out;"
			  " %s%s", path, damage->first, damage->count,
			  link(path, aside) == 0 ? "as it was it is kept as " : "it cannot be kept as ", aside);
	free(aside);
	return text;
}

/* Whatever stands there, this does not wait; NULL: errno. */
static FILE *open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fdopen(fd, "r");
	close(fd);
	errno = EINVAL;
	return NULL;
}

struct saved *saved_file_read(const char *path, char **why)
{
	struct reader reader = { 0 };
	struct damage damage = { 0 };
	struct saved *saved = NULL;
	json_error_t error;
	json_t *root;
	FILE *file = open_file(path);

	*why = NULL;
	if (file == NULL) {
		if (errno != ENOENT)
			*why = mem_printf("cannot read state file %s: %s; starting without it", path,
					  strerror(errno));
		return NULL;
	}
	root = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
	(void)fclose(file);
	if (json_is_object(root))
		saved = read_all(&reader, root, &damage);
	else
		reader.wrong = root == NULL ? error.text : "no object";
	if (reader.wrong != NULL) {
		set_aside(path, why, reader.wrong);
		saved_free(&saved);
	} else if (damage.count > 0) {
		*why = say_left_out(path, &damage);
	}
	json_decref(root);
	return saved;
}
