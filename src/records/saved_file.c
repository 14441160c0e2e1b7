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

/* Reading goes on over what is wrong, and says so at the end. */
struct reader {
	const char *wrong; /* NULL: nothing yet */
};

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

static void read_holders(struct reader *reader, const json_t *list, struct saved_cluster *cluster)
{
	const json_t *item;
	size_t i;

	cluster->holder_count = json_array_size(list);
	cluster->holders = mem_zalloc(cluster->holder_count, sizeof(*cluster->holders));
	json_array_foreach(list, i, item) {
		cluster->holders[i].name = get_string(reader, item, "name");
		cluster->holders[i].last_tstamp = get_int(reader, item, "last_tstamp", INT64_MAX);
	}
}

static void read_cluster(struct reader *reader, const json_t *from, struct saved_cluster *cluster)
{
	const json_t *nodes = get(reader, from, "nodes", JSON_ARRAY);
	const json_t *item;
	size_t i;

	cluster->id = (int)get_int(reader, from, "id", INT_MAX - 1);
	cluster->has_beats = json_object_get(from, "last_tstamp") != NULL;
	if (cluster->has_beats) {
		cluster->first_tstamp = get_int(reader, from, "first_tstamp", INT64_MAX);
		cluster->last_tstamp = get_int(reader, from, "last_tstamp", INT64_MAX);
	}
	read_holders(reader, get(reader, from, "holders", JSON_ARRAY), cluster);
	cluster->node_count = json_array_size(nodes);
	cluster->nodes = mem_zalloc(cluster->node_count, sizeof(*cluster->nodes));
	json_array_foreach(nodes, i, item) {
		read_node(reader, item, &cluster->nodes[i]);
	}
}

static struct saved *read_all(struct reader *reader, const json_t *root)
{
	struct saved *saved = mem_zalloc(1, sizeof(*saved));
	const json_t *clusters = get(reader, root, "clusters", JSON_ARRAY);
	const json_t *item;
	size_t i;

	if (get_int(reader, root, "version", VERSION) != VERSION)
		reader->wrong = "version";
	saved->next_id = (int)get_int(reader, root, "next_id", INT_MAX - CLUSTERS_MAX);
	saved->event_count = (unsigned long)get_int(reader, root, "event_count", INT64_MAX / 2);
	saved->cluster_count = json_array_size(clusters);
	saved->clusters = mem_zalloc(saved->cluster_count, sizeof(*saved->clusters));
	json_array_foreach(clusters, i, item) {
		read_cluster(reader, item, &saved->clusters[i]);
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
		saved = read_all(&reader, root);
	else
		reader.wrong = root == NULL ? error.text : "no object";
	if (reader.wrong != NULL) {
		set_aside(path, why, reader.wrong);
		saved_free(&saved);
	}
	json_decref(root);
	return saved;
}
