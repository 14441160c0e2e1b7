#include "records/saved_gather.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/saved_keys.h"
#include "records/saved_json.h"

struct cluster_part {
	struct saved_cluster cluster;
	char *sat_last; /* the id of the node that sat in the seat last; NULL: it is not known */
};

struct node_part {
	struct saved_node node;
	int cluster_id;
};

struct saved_gather {
	struct saved *saved; /* has only the counts until join() */
	bool has_counts;     /* `state/meta` has come */
	bool is_known; /* `state/meta` is of our format */
	struct cluster_part *clusters;
	size_t cluster_count;
	size_t cluster_room;
	struct node_part *nodes;
	size_t node_count;
	size_t node_room;
	struct saved_damage damage;
	char *first; /* the first damage, with its key; NULL: there is none */
};

struct saved_gather *saved_gather_new(void)
{
	struct saved_gather *gather = mem_zalloc(1, sizeof(*gather));

	gather->saved = mem_zalloc(1, sizeof(*gather->saved));
	return gather;
}

/* Makes room for one more item of that size. */
static void *make_room(void *items, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return items;
	*room = *room > 0 ? *room * 2 : 16;
	return mem_grow(items, *room, size);
}

static bool is_own_key(const char *key, char *expected)
{
	bool is_own = strcmp(key, expected) == 0;

	free(expected);
	return is_own;
}

static void add_cluster(struct saved_gather *gather, const char *key, const json_t *from)
{
	struct cluster_part *part;

	gather->clusters = make_room(gather->clusters, gather->cluster_count, &gather->cluster_room, sizeof(*part));
	part = &gather->clusters[gather->cluster_count];
	*part = (struct cluster_part){ 0 };
	if (!saved_json_cluster(from, false, &part->cluster, &gather->damage))
		return;
	if (is_own_key(key, saved_keys_cluster(part->cluster.id))) {
		part->sat_last = mem_strdup(json_string_value(json_object_get(from, "sat_last")));
		gather->cluster_count++;
		return;
	}
	saved_json_damage(&gather->damage, "id");
	saved_cluster_clear(&part->cluster);
}

static void add_node(struct saved_gather *gather, const char *key, const json_t *from)
{
	struct node_part *part;

	gather->nodes = make_room(gather->nodes, gather->node_count, &gather->node_room, sizeof(*part));
	part = &gather->nodes[gather->node_count];
	*part = (struct node_part){ .cluster_id = saved_json_cluster_of(from) };
	if (!saved_json_node(from, false, &part->node, &gather->damage))
		return;
	if (is_own_key(key, saved_keys_node(part->node.id)) && part->cluster_id >= 0) {
		gather->node_count++;
		return;
	}
	saved_json_damage(&gather->damage, part->cluster_id >= 0 ? "id" : "cluster_id");
	saved_node_clear(&part->node);
}

static bool begins_with(const char *key, const char *start)
{
	return strncmp(key, start, strlen(start)) == 0;
}

static void add(struct saved_gather *gather, const char *key, const json_t *root)
{
	if (!json_is_object(root)) {
		saved_json_damage(&gather->damage, "no object");
	} else if (strcmp(key, SAVED_META) == 0) {
		gather->has_counts = true;
		gather->is_known = saved_json_counts(root, gather->saved, &gather->damage);
	} else if (begins_with(key, SAVED_CLUSTER)) {
		add_cluster(gather, key, root);
	} else if (begins_with(key, SAVED_NODE)) {
		add_node(gather, key, root);
	} else {
		saved_json_damage(&gather->damage, "unknown key");
	}
}

void saved_gather_add(struct saved_gather *gather, const char *key, const char *text, size_t len)
{
	bool was_whole = gather->damage.count == 0;
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);

	add(gather, key, root);
	json_decref(root);
	if (was_whole && gather->damage.count > 0)
		gather->first = mem_printf("%s: %s", key, gather->damage.first);
}

static int compare_clusters(const void *a, const void *b)
{
	const struct cluster_part *left = a;
	const struct cluster_part *right = b;

	return (left->cluster.id > right->cluster.id) - (left->cluster.id < right->cluster.id);
}

static int compare_nodes(const void *a, const void *b)
{
	const struct node_part *left = a;
	const struct node_part *right = b;

	if (left->cluster_id != right->cluster_id)
		return left->cluster_id > right->cluster_id ? 1 : -1;
	return strcmp(left->node.id, right->node.id);
}

/*
 * Hands the cluster its nodes, which follow in the sorted list from `at` on; returns where they end. Nodes before
 * them, whose cluster was not saved, are left out.
 */
static size_t take_nodes(struct saved_gather *gather, struct cluster_part *part, size_t at)
{
	struct saved_cluster *cluster = &part->cluster;
	size_t end;

	for (; at < gather->node_count && gather->nodes[at].cluster_id < cluster->id; at++)
		saved_json_damage(&gather->damage, "cluster_id");
	for (end = at; end < gather->node_count && gather->nodes[end].cluster_id == cluster->id; end++)
		;
	cluster->nodes = mem_zalloc(end - at, sizeof(*cluster->nodes));
	for (; at < end; at++) {
		struct saved_node *node = &cluster->nodes[cluster->node_count++];

		*node = gather->nodes[at].node;
		gather->nodes[at].node = (struct saved_node){ 0 };
		node->sat_last = part->sat_last != NULL && strcmp(node->id, part->sat_last) == 0;
	}
	return at;
}

static void join(struct saved_gather *gather)
{
	struct saved *saved = gather->saved;
	size_t damaged = gather->damage.count;
	size_t at = 0;

	if (gather->cluster_count > 0)
		qsort(gather->clusters, gather->cluster_count, sizeof(*gather->clusters), compare_clusters);
	if (gather->node_count > 0)
		qsort(gather->nodes, gather->node_count, sizeof(*gather->nodes), compare_nodes);
	saved->clusters = mem_zalloc(gather->cluster_count, sizeof(*saved->clusters));
	for (size_t i = 0; i < gather->cluster_count; i++) {
		at = take_nodes(gather, &gather->clusters[i], at);
		saved->clusters[saved->cluster_count++] = gather->clusters[i].cluster;
		gather->clusters[i].cluster = (struct saved_cluster){ 0 };
	}
	gather->damage.count += gather->node_count - at;
	if (damaged == 0 && gather->damage.count > 0)
		gather->first = mem_strdup("nodes whose cluster was not saved");
}

static void end(struct saved_gather **gather_p)
{
	struct saved_gather *gather = *gather_p;

	*gather_p = NULL;
	for (size_t i = 0; i < gather->cluster_count; i++) {
		saved_cluster_clear(&gather->clusters[i].cluster);
		free(gather->clusters[i].sat_last);
	}
	for (size_t i = 0; i < gather->node_count; i++)
		saved_node_clear(&gather->nodes[i].node);
	free(gather->clusters);
	free(gather->nodes);
	saved_free(&gather->saved);
	free(gather->first);
	free(gather);
}

struct saved *saved_gather_end(struct saved_gather **gather_p, char **why)
{
	struct saved_gather *gather = *gather_p;
	struct saved *saved = NULL;
	bool is_empty = !gather->has_counts && gather->cluster_count + gather->node_count + gather->damage.count == 0;

	*why = NULL;
	if (!gather->has_counts && !is_empty) {
		*why = mem_printf("%s is missing", SAVED_META);
	} else if (!is_empty && !gather->is_known) {
		*why = mem_printf("%s is of another format than %d", SAVED_META, SAVED_VERSION);
	} else if (!is_empty) {
		join(gather);
		saved = gather->saved;
		gather->saved = NULL;
		if (gather->damage.count > 0)
			*why = mem_printf("%zu parts of the saved state are damaged and left out, first %s",
					  gather->damage.count, gather->first);
	}
	end(gather_p);
	return saved;
}
