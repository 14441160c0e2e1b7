#include "core/fleet.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

const char *place_name(enum place place)
{
	static const char *const names[] = {
		[PLACE_CLUSTERLESS] = "clusterless",
		[PLACE_MASTER] = "master",
		[PLACE_SLAVE] = "slave",
		[PLACE_LOST] = "lost",
	};

	return names[place];
}

static int compare_ids(const void *a, const void *b)
{
	const struct node *const *left = a;
	const struct node *const *right = b;

	return strcmp((*left)->config->id, (*right)->config->id);
}

static struct node *new_node(const struct config_node *config, size_t order,
			     const struct moment *now)
{
	struct node *node = mem_zalloc(1, sizeof(*node));

	node->config = config;
	node->order = order;
	node->reserved_id = -1;
	node->stood_ms = INT64_MIN;
	node->went_ms = INT64_MIN;
	node->since_ms = now->wall_ms;
	return node;
}

static void sort_by_id(struct fleet *fleet)
{
	free(fleet->by_id);
	fleet->by_id = mem_zalloc(fleet->node_count, sizeof(struct node *));
	if (fleet->node_count == 0)
		return;
	memcpy(fleet->by_id, fleet->nodes, fleet->node_count * sizeof(struct node *));
	qsort(fleet->by_id, fleet->node_count, sizeof(struct node *), compare_ids);
}

struct fleet *fleet_new(struct config *config, const struct moment *now)
{
	struct fleet *fleet = mem_zalloc(1, sizeof(*fleet));

	fleet->config = config_ref(config);
	fleet->node_count = config->node_count;
	fleet->nodes = mem_zalloc(config->node_count, sizeof(struct node *));
	for (size_t i = 0; i < config->node_count; i++)
		fleet->nodes[i] = new_node(&config->nodes[i], i, now);
	sort_by_id(fleet);
	return fleet;
}

static void free_cluster(struct cluster *cluster)
{
	for (size_t i = 0; i < cluster->holder_count; i++)
		free(cluster->holders[i].name);
	free(cluster->holders);
	list_free(&cluster->members);
	history_free(&cluster->beats);
	free(cluster);
}

void fleet_free(struct fleet **fleet_p)
{
	struct fleet *fleet = *fleet_p;

	*fleet_p = NULL;
	if (fleet == NULL)
		return;
	for (size_t i = 0; i < fleet->clusters.count; i++)
		free_cluster(fleet->clusters.items[i]);
	list_free(&fleet->clusters);
	for (size_t i = 0; i < fleet->node_count; i++)
		free(fleet->nodes[i]);
	free(fleet->nodes);
	free(fleet->by_id);
	config_unref(&fleet->config);
	free(fleet);
}

static int compare_order(const void *a, const void *b)
{
	const struct node *const *left = a;
	const struct node *const *right = b;

	return ((*left)->order > (*right)->order) - ((*left)->order < (*right)->order);
}

/* The node of that id, taken out of the old list; NULL: there is none. */
static struct node *take_node(struct node **nodes, size_t count, const char *id)
{
	for (size_t i = 0; i < count; i++) {
		struct node *node = nodes[i];

		if (node != NULL && strcmp(node->config->id, id) == 0) {
			nodes[i] = NULL;
			return node;
		}
	}
	return NULL;
}

static void remove_node(struct fleet *fleet, struct node *node, const struct moment *now,
			struct list *removed)
{
	fleet_settle_id(fleet, node, false);
	fleet_move(node, NULL, PLACE_CLUSTERLESS, now);
	list_add(removed, node);
}

void fleet_reload(struct fleet *fleet, struct config *config, const struct moment *now,
		  struct list *removed)
{
	struct node **before = fleet->nodes;
	size_t count = fleet->node_count;

	fleet->nodes = mem_zalloc(config->node_count, sizeof(struct node *));
	fleet->node_count = config->node_count;
	for (size_t i = 0; i < config->node_count; i++) {
		struct node *node = take_node(before, count, config->nodes[i].id);

		if (node == NULL)
			node = new_node(&config->nodes[i], i, now);
		node->config = &config->nodes[i];
		node->order = i;
		fleet->nodes[i] = node;
	}
	for (size_t i = 0; i < count; i++) {
		if (before[i] != NULL)
			remove_node(fleet, before[i], now, removed);
	}
	free(before);
	sort_by_id(fleet);
	for (size_t i = 0; i < fleet->clusters.count; i++) {
		const struct list *members =
			&((struct cluster *)fleet->clusters.items[i])->members;

		if (members->count > 1)
			qsort(members->items, members->count, sizeof(void *), compare_order);
	}
	config_ref(config);
	config_unref(&fleet->config);
	fleet->config = config;
}

struct cluster *fleet_add_cluster(struct fleet *fleet, int id)
{
	struct cluster *cluster = mem_zalloc(1, sizeof(*cluster));
	size_t at = 0;

	cluster->id = id;
	while (at < fleet->clusters.count && ((struct cluster *)fleet->clusters.items[at])->id < id)
		at++;
	list_insert(&fleet->clusters, at, cluster);
	return cluster;
}

void fleet_drop_cluster(struct fleet *fleet, struct cluster *cluster)
{
	assert(cluster->members.count == 0);
	list_remove(&fleet->clusters, cluster);
	free_cluster(cluster);
}

static void remember_holder(struct cluster *cluster, const struct node *node)
{
	int64_t last = history_newest(&cluster->beats);
	struct holder *holder = (struct holder *)cluster_holder(cluster, node);

	if (holder == NULL) {
		cluster->holders = mem_grow(cluster->holders, cluster->holder_count + 1,
					    sizeof(*cluster->holders));
		holder = &cluster->holders[cluster->holder_count++];
		holder->name = mem_strdup(node->config->id);
	}
	holder->last_tstamp = last;
}

static void leave(struct node *node, const struct cluster *next)
{
	struct cluster *cluster = node->cluster;

	if (cluster == NULL)
		return;
	if (cluster->seat == node) {
		remember_holder(cluster, node);
		cluster->seat = NULL;
		cluster->sat_last = node;
	}
	if (cluster == next)
		return;
	list_remove(&cluster->members, node);
	if (cluster->sat_last == node)
		cluster->sat_last = NULL;
	node->has_shown = false;
}

static void enter(struct node *node, struct cluster *cluster)
{
	size_t at = 0;

	if (cluster == NULL || node->cluster == cluster)
		return;
	while (at < cluster->members.count &&
	       ((struct node *)cluster->members.items[at])->order < node->order)
		at++;
	list_insert(&cluster->members, at, node);
}

void fleet_move(struct node *node, struct cluster *cluster, enum place place,
		const struct moment *now)
{
	bool changes = node->place != place || node->cluster != cluster;

	leave(node, cluster);
	enter(node, cluster);
	node->cluster = cluster;
	node->place = place;
	if (place == PLACE_MASTER) {
		assert(cluster->seat == NULL);
		cluster->seat = node;
		cluster->sat_last = NULL;
	}
	if (changes)
		node->since_ms = now->wall_ms;
}

bool node_is_in_place(const struct node *node)
{
	return node->place == PLACE_MASTER || node->place == PLACE_SLAVE;
}

void node_give_reason(struct node *node, enum reason reason, const char *message)
{
	node->reason = reason;
	text_copy(node->message, sizeof(node->message), message);
}

void fleet_note_rule(struct node *node, enum rule rule, const struct moment *now)
{
	if (rule == RULE_NONE || rule == node->ruled)
		return;
	node->ruled = rule;
	node->ruled_ms = now->wall_ms;
}

struct node *cluster_master(const struct cluster *cluster)
{
	return cluster->seat != NULL ? cluster->seat : cluster->sat_last;
}

const struct holder *cluster_holder(const struct cluster *cluster, const struct node *node)
{
	for (size_t i = 0; i < cluster->holder_count; i++) {
		if (strcmp(cluster->holders[i].name, node->config->id) == 0)
			return &cluster->holders[i];
	}
	return NULL;
}

static bool has_alias(const struct node *node, const char *name)
{
	for (size_t i = 0; i < NODE_ALIASES; i++) {
		if (node->aliases[i][0] != '\0' && strcmp(node->aliases[i], name) == 0)
			return true;
	}
	return false;
}

static int compare_name(const void *name, const void *item)
{
	const struct node *const *node = item;

	return strcmp(name, (*node)->config->id);
}

/* Of several that bear a name: members of `near` first, of these who sits. */
static int nearness(const struct node *node, const struct cluster *near)
{
	return (node->cluster == near ? 2 : 0) + (node->place == PLACE_MASTER ? 1 : 0);
}

struct node *fleet_named(const struct fleet *fleet, const struct cluster *near, const char *name)
{
	struct node **found;
	struct node *alias = NULL;

	if (fleet->node_count == 0)
		return NULL;
	found = bsearch(name, fleet->by_id, fleet->node_count, sizeof(struct node *), compare_name);
	if (found != NULL)
		return *found;
	for (size_t i = 0; i < fleet->node_count; i++) {
		struct node *node = fleet->nodes[i];

		if (has_alias(node, name) &&
		    (alias == NULL || nearness(node, near) > nearness(alias, near)))
			alias = node;
	}
	return alias;
}

int fleet_reserve_id(struct fleet *fleet, struct node *node)
{
	if (node->reserved_id < 0)
		node->reserved_id = fleet->next_id++;
	return node->reserved_id;
}

void fleet_settle_id(struct fleet *fleet, struct node *node, bool used)
{
	if (!used && node->reserved_id >= 0 && node->reserved_id == fleet->next_id - 1) {
		fleet->next_id--;
		used = true;
	}
	if (used)
		node->reserved_id = -1;
}

struct beat_order fleet_beat_order(const struct cluster *cluster, const struct node *node,
				   const struct moment *now)
{
	int64_t newest = history_newest(&cluster->beats);

	return (struct beat_order){
		.cluster_id = cluster->id,
		.master = node->config->id,
		.tstamp = newest >= now->stamp_ms ? newest + 1 : now->stamp_ms,
	};
}
