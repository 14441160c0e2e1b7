#include "core/unsaved.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/hash.h"
#include "base/mem.h"

#define FIRST_CHAINS 64

struct entry {
	TAILQ_ENTRY(entry) in_order;
	struct entry *next; /* in its chain */
	uint32_t hash;
	int cluster_id; /* the cluster's; -1: it is a node */
	char id[];      /* the node's; "": it is a cluster */
};

TAILQ_HEAD(entry_list, entry);

struct unsaved {
	struct entry_list order; /* the one that was named first is first */
	struct entry **chains;
	size_t chain_count; /* a power of two, and never less than `count` */
	size_t count;
};

struct unsaved *unsaved_new(void)
{
	struct unsaved *set = mem_zalloc(1, sizeof(*set));

	TAILQ_INIT(&set->order);
	set->chain_count = FIRST_CHAINS;
	set->chains = mem_zalloc(set->chain_count, sizeof(struct entry *));
	return set;
}

static uint32_t hash_of(const char *id, int cluster_id)
{
	return hash32_text(HASH32_BEGIN ^ ((uint32_t)cluster_id * 2654435761U), id);
}

static struct entry **chain_of(struct unsaved *set, uint32_t hash)
{
	return &set->chains[(hash ^ hash >> 16) & (set->chain_count - 1)];
}

static void grow(struct unsaved *set)
{
	struct entry *entry = TAILQ_FIRST(&set->order);

	free(set->chains);
	set->chain_count *= 2;
	set->chains = mem_zalloc(set->chain_count, sizeof(struct entry *));
	for (; entry != NULL; entry = TAILQ_NEXT(entry, in_order)) {
		struct entry **chain = chain_of(set, entry->hash);

		entry->next = *chain;
		*chain = entry;
	}
}

static bool is_named(struct unsaved *set, uint32_t hash, const char *id, int cluster_id)
{
	const struct entry *entry = *chain_of(set, hash);

	while (entry != NULL && (entry->hash != hash || entry->cluster_id != cluster_id || strcmp(entry->id, id) != 0))
		entry = entry->next;
	return entry != NULL;
}

static void name(struct unsaved *set, const char *id, int cluster_id)
{
	uint32_t hash = hash_of(id, cluster_id);
	size_t size = strlen(id) + 1;
	struct entry **chain;
	struct entry *entry;

	if (is_named(set, hash, id, cluster_id))
		return;
	if (set->count >= set->chain_count)
		grow(set);
	entry = mem_zalloc(1, sizeof(*entry) + size);
	entry->hash = hash;
	entry->cluster_id = cluster_id;
	memcpy(entry->id, id, size);
	chain = chain_of(set, hash);
	entry->next = *chain;
	*chain = entry;
	TAILQ_INSERT_TAIL(&set->order, entry, in_order);
	set->count++;
}

static void forget(struct unsaved *set, struct entry *entry)
{
	struct entry **at = chain_of(set, entry->hash);

	while (*at != entry)
		at = &(*at)->next;
	*at = entry->next;
	TAILQ_REMOVE(&set->order, entry, in_order);
	set->count--;
	free(entry);
}

void unsaved_node(struct unsaved *set, const char *id)
{
	if (set != NULL)
		name(set, id, -1);
}

void unsaved_cluster(struct unsaved *set, int id)
{
	if (set != NULL)
		name(set, "", id);
}

void unsaved_change(struct unsaved *set, const struct change *change)
{
	if (set == NULL)
		return;
	if (change->from != NULL)
		unsaved_cluster(set, change->from->id);
	if (change->to != NULL)
		unsaved_cluster(set, change->to->id);
	unsaved_node(set, change->node->config->id);
}

void unsaved_all(struct unsaved *set, const struct fleet *fleet)
{
	if (set == NULL)
		return;
	for (size_t i = 0; i < fleet->clusters.count; i++) {
		const struct cluster *cluster = fleet->clusters.items[i];

		unsaved_cluster(set, cluster->id);
		for (size_t n = 0; n < cluster->members.count; n++)
			unsaved_node(set, ((const struct node *)cluster->members.items[n])->config->id);
	}
}

void unsaved_stored(struct unsaved *set, const struct saved *saved, const struct config *config)
{
	for (size_t i = 0; saved != NULL && i < saved->cluster_count; i++) {
		const struct saved_cluster *cluster = &saved->clusters[i];

		if (config == NULL)
			unsaved_cluster(set, cluster->id);
		for (size_t n = 0; n < cluster->node_count; n++) {
			if (config == NULL || config_find_node(config, cluster->nodes[n].id) == NULL)
				unsaved_node(set, cluster->nodes[n].id);
		}
	}
}

size_t unsaved_count(const struct unsaved *set)
{
	return set->count;
}

static const struct node *find_node(const struct fleet *fleet, const char *id)
{
	const struct config_node *config = config_find_node(fleet->config, id);

	return config != NULL ? fleet->nodes[config - fleet->config->nodes] : NULL;
}

/* Renders the part; returns false if the node or cluster has none any more. */
static bool render(const struct entry *entry, const struct fleet *fleet, const struct moment *now, struct buf *text)
{
	const struct cluster *cluster;
	const struct node *node;

	if (entry->id[0] == '\0') {
		cluster = fleet_find_cluster(fleet, entry->cluster_id);
		if (cluster == NULL || cluster->members.count == 0)
			return false;
		saved_keys_render_cluster(cluster, text);
		return true;
	}
	node = find_node(fleet, entry->id);
	if (node == NULL || node->cluster == NULL)
		return false;
	saved_keys_render_node(node, now, text);
	return true;
}

size_t unsaved_take(struct unsaved *set, const struct fleet *fleet, const struct moment *now, size_t max,
		    void (*part)(void *data, const char *key, const char *text), void *data)
{
	struct buf text = { 0 };
	struct entry *entry = TAILQ_FIRST(&set->order);
	size_t count = 0;

	for (; count < max && entry != NULL; count++) {
		struct entry *next = TAILQ_NEXT(entry, in_order);
		char *key = entry->id[0] == '\0' ? saved_keys_cluster(entry->cluster_id) : saved_keys_node(entry->id);

		buf_clear(&text);
		part(data, key, render(entry, fleet, now, &text) ? buf_text(&text) : NULL);
		forget(set, entry);
		entry = next;
		free(key);
	}
	buf_free(&text);
	return count;
}

void unsaved_clear(struct unsaved *set)
{
	struct entry *entry = TAILQ_FIRST(&set->order);

	while (entry != NULL) {
		struct entry *next = TAILQ_NEXT(entry, in_order);

		free(entry);
		entry = next;
	}
	TAILQ_INIT(&set->order);
	for (size_t i = 0; i < set->chain_count; i++)
		set->chains[i] = NULL;
	set->count = 0;
}

void unsaved_free(struct unsaved **set_p)
{
	struct unsaved *set = *set_p;

	*set_p = NULL;
	if (set == NULL)
		return;
	unsaved_clear(set);
	free(set->chains);
	free(set);
}
