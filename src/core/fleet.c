#include "core/fleet.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/node_view.h"

static struct node *new_node(struct fleet *fleet, const struct config_node *config, size_t order,
			     const struct moment *now)
{
	struct node *node = mem_zalloc(1, sizeof(*node));

	node->config = config;
	node->fleet = fleet;
	node->order = order;
	node->reserved_id = -1;
	node->stood_ms = INT64_MIN;
	node->went_ms = INT64_MIN;
	node->since_ms = now->wall_ms;
	node->shown = shown_new();
	node->kin = NO_KIN;
	node->shown_in = SHOWN_NOWHERE;
	node->meter = node_meter_new();
	return node;
}

void node_free(struct node **node_p)
{
	struct node *node = *node_p;

	*node_p = NULL;
	if (node == NULL)
		return;
	for (size_t i = 0; i < NODE_ALIASES; i++)
		free(node->aliases[i]);
	shown_free(&node->shown);
	node_view_unref(&node->view);
	node_meter_unref(&node->meter);
	free(node->kin.server);
	free(node->kin.system);
	list_free(&node->kin.disputes);
	votes_free(&node->votes);
	free(node);
}

/* Fills the index of names anew from the present nodes. */
static void name_all(struct fleet *fleet)
{
	naming_free(&fleet->names);
	for (size_t i = 0; i < fleet->node_count; i++) {
		struct node *node = fleet->nodes[i];

		naming_add(&fleet->names, node->config->id, node, true);
		for (size_t k = 0; k < NODE_ALIASES; k++) {
			if (node->aliases[k] != NULL)
				naming_add(&fleet->names, node->aliases[k], node, false);
		}
	}
}

struct fleet *fleet_new(struct config *config, const struct moment *now)
{
	struct fleet *fleet = mem_zalloc(1, sizeof(*fleet));

	fleet->config = config_ref(config);
	fleet->node_count = config->node_count;
	fleet->nodes = mem_zalloc(config->node_count, sizeof(struct node *));
	for (size_t i = 0; i < config->node_count; i++) {
		fleet->nodes[i] = new_node(fleet, &config->nodes[i], i, now);
		list_add(&fleet->clusterless, fleet->nodes[i]);
	}
	name_all(fleet);
	fleet->touched_clusterless = true;
	fleet->touches = 1;
	fleet->cut_off_ms = INT64_MIN;
	return fleet;
}

static void free_cluster(struct cluster *cluster)
{
	for (size_t i = 0; i < cluster->holder_count; i++)
		free(cluster->holders[i].name);
	free(cluster->holders);
	list_free(&cluster->awaited);
	list_free(&cluster->members);
	history_free(&cluster->beats);
	cluster_meter_unref(&cluster->meter);
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
	list_free(&fleet->clusterless);
	list_free(&fleet->touched);
	list_free(&fleet->touched_nodes);
	list_free(&fleet->dropped);
	list_free(&fleet->emptied);
	naming_free(&fleet->names);
	naming_free(&fleet->servers);
	naming_free(&fleet->masters);
	for (size_t i = 0; i < fleet->disputes.count; i++)
		free(fleet->disputes.items[i]);
	list_free(&fleet->disputes);
	list_free(&fleet->wanted);
	for (size_t i = 0; i < fleet->node_count; i++)
		node_free(&fleet->nodes[i]);
	free(fleet->nodes);
	config_unref(&fleet->config);
	free(fleet);
}

/* Returns the index in `nodes`, which are in configured order, at which a node of that order is or belongs. */
static size_t place_of(const struct list *nodes, size_t order)
{
	size_t low = 0;
	size_t high = nodes->count;

	if (high > 0 && ((const struct node *)nodes->items[high - 1])->order < order)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (((const struct node *)nodes->items[middle])->order < order)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct list *list_of(struct fleet *fleet, struct cluster *cluster)
{
	return cluster != NULL ? &cluster->members : &fleet->clusterless;
}

void fleet_touch(struct fleet *fleet, struct cluster *cluster)
{
	if (cluster == NULL) {
		fleet->touched_clusterless = true;
	} else if (!cluster->touched) {
		cluster->touched = true;
		list_add(&fleet->touched, cluster);
	}
}

void node_touch(struct node *node)
{
	struct fleet *fleet = node->fleet;

	if (node->touched == fleet->touches)
		return;
	node->touched = fleet->touches;
	list_add(&fleet->touched_nodes, node);
}

void fleet_untouch(struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->touched.count; i++)
		((struct cluster *)fleet->touched.items[i])->touched = false;
	fleet->touched.count = 0;
	fleet->touched_nodes.count = 0;
	fleet->touched_clusterless = false;
	fleet->dropped.count = 0;
	fleet->touches++;
}

static int compare_order(const void *a, const void *b)
{
	const struct node *const *left = a;
	const struct node *const *right = b;

	return ((*left)->order > (*right)->order) - ((*left)->order < (*right)->order);
}

/* Takes the node out of all lists of its fleet, and adds it to `removed`. */
static void remove_node(struct fleet *fleet, struct node *node, const struct moment *now,
			struct list *removed)
{
	fleet_settle_id(fleet, node, false);
	fleet_move(node, NULL, PLACE_CLUSTERLESS, now);
	(void)list_remove_at(&fleet->clusterless, place_of(&fleet->clusterless, node->order));
	list_add(removed, node);
}

static void sort(struct list *nodes)
{
	if (nodes->count > 1)
		qsort(nodes->items, nodes->count, sizeof(void *), compare_order);
}

/* Touches all clusters and the clusterless nodes. No single node has to be named beside them any more. */
static void touch_all(struct fleet *fleet)
{
	fleet->touched_nodes.count = 0;
	fleet->touches++;
	fleet_touch(fleet, NULL);
	for (size_t i = 0; i < fleet->clusters.count; i++)
		fleet_touch(fleet, fleet->clusters.items[i]);
}

/* Removes the nodes that are not in `config`. Called while all nodes still have their old order. */
static void remove_others(struct fleet *fleet, const struct config *config,
			  const struct moment *now, struct list *removed)
{
	for (size_t i = 0, at = 0; i < fleet->node_count; i++) {
		struct node *node = fleet->nodes[i];

		if (config_find_next(config, node->config->id, &at) == NULL)
			remove_node(fleet, node, now, removed);
	}
}

/* Returns the fleet's node of this id, or makes a new one. */
static struct node *node_for(struct fleet *fleet, const struct config_node *config, size_t order,
			     const struct moment *now)
{
	const struct bearer *bearer = naming_first(&fleet->names, config->id);
	struct node *node;

	while (bearer != NULL && !bearer->is_id)
		bearer = naming_next(bearer);
	if (bearer != NULL)
		return bearer->node;
	node = new_node(fleet, config, order, now);
	list_add(&fleet->clusterless, node);
	return node;
}

void fleet_reload(struct fleet *fleet, struct config *config, const struct moment *now,
		  struct list *removed)
{
	struct node **before = fleet->nodes;
	struct node **after = mem_zalloc(config->node_count, sizeof(struct node *));

	remove_others(fleet, config, now, removed);
	for (size_t i = 0; i < config->node_count; i++)
		after[i] = node_for(fleet, &config->nodes[i], i, now);
	for (size_t i = 0; i < config->node_count; i++) {
		after[i]->config = &config->nodes[i];
		after[i]->order = i;
	}
	fleet->nodes = after;
	fleet->node_count = config->node_count;
	free(before);
	name_all(fleet);
	sort(&fleet->clusterless);
	for (size_t i = 0; i < fleet->clusters.count; i++)
		sort(&((struct cluster *)fleet->clusters.items[i])->members);
	touch_all(fleet);
	config_ref(config);
	config_unref(&fleet->config);
	fleet->config = config;
}

/* Returns the index in the clusters, which are sorted by id, at which that id is or is to be inserted. */
static size_t place_of_id(const struct fleet *fleet, int id)
{
	size_t low = 0;
	size_t high = fleet->clusters.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (((const struct cluster *)fleet->clusters.items[middle])->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct cluster *fleet_find_cluster(const struct fleet *fleet, int id)
{
	size_t at = place_of_id(fleet, id);
	struct cluster *cluster = at < fleet->clusters.count ? fleet->clusters.items[at] : NULL;

	return cluster != NULL && cluster->id == id ? cluster : NULL;
}

struct cluster *fleet_add_cluster(struct fleet *fleet, int id)
{
	struct cluster *cluster = mem_zalloc(1, sizeof(*cluster));

	cluster->id = id;
	cluster->meter = cluster_meter_new();
	list_insert(&fleet->clusters, place_of_id(fleet, id), cluster);
	fleet_touch(fleet, cluster);
	return cluster;
}

void fleet_drop_cluster(struct fleet *fleet, struct cluster *cluster)
{
	assert(cluster->members.count == 0);
	(void)list_remove_at(&fleet->clusters, place_of_id(fleet, cluster->id));
	if (cluster->touched)
		list_remove(&fleet->touched, cluster);
	if (cluster->emptied)
		list_remove(&fleet->emptied, cluster);
	list_add(&fleet->dropped, (void *)(intptr_t)cluster->id);
	free_cluster(cluster);
}

static void remember_holder(struct cluster *cluster, const struct node *node)
{
	struct holder *holder = (struct holder *)cluster_holder(cluster, node);

	if (holder == NULL) {
		cluster->holders = mem_grow(cluster->holders, cluster->holder_count + 1,
					    sizeof(*cluster->holders));
		holder = &cluster->holders[cluster->holder_count++];
		holder->name = mem_strdup(node->config->id);
	}
	holder->last_tstamp = history_newest(&cluster->beats);
}

static void leave_seat(struct node *node)
{
	struct cluster *cluster = node->cluster;

	if (cluster != NULL && cluster->seat == node) {
		remember_holder(cluster, node);
		cluster->seat = NULL;
		cluster->sat_last = node;
	}
}

/* Takes the node out of its cluster's members, or out of the clusterless nodes. */
static void leave(struct node *node)
{
	struct list *nodes = list_of(node->fleet, node->cluster);
	struct cluster *cluster = node->cluster;

	(void)list_remove_at(nodes, place_of(nodes, node->order));
	if (cluster == NULL)
		return;
	if (cluster->sat_last == node)
		cluster->sat_last = NULL;
	node->has_shown = false;
	if (cluster->members.count == 0 && !cluster->emptied) {
		cluster->emptied = true;
		list_add(&node->fleet->emptied, cluster);
	}
}

void fleet_move(struct node *node, struct cluster *cluster, enum place place,
		const struct moment *now)
{
	bool changes = node->place != place || node->cluster != cluster;

	leave_seat(node);
	if (cluster != node->cluster) {
		struct list *nodes = list_of(node->fleet, cluster);

		leave(node);
		list_insert(nodes, place_of(nodes, node->order), node);
	}
	node->cluster = cluster;
	node->place = place;
	node_touch(node);
	if (place == PLACE_MASTER) {
		assert(cluster->seat == NULL);
		cluster->seat = node;
		cluster->sat_last = NULL;
	}
	if (changes)
		node->since_ms = now->wall_ms;
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
