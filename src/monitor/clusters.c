#include "monitor/clusters.h"

#include <stdlib.h>

#include "base/mem.h"
#include "monitor/tell.h"

void clusters_open(struct clusters *clusters, struct seats *seats)
{
	clusters->seats = seats;
	group_init(&clusters->clusterless, seats, NULL);
}

void clusters_close(struct clusters *clusters)
{
	/* the last ones first: a group leaves the list `born` of an earlier one */
	while (clusters->groups.count > 0) {
		struct group *group =
			list_remove_at(&clusters->groups, clusters->groups.count - 1);

		group->cluster->rounds = NULL;
		group_clear(group);
		free(group);
	}
	list_free(&clusters->groups);
	group_clear(&clusters->clusterless);
}

/* Where the group of the cluster with that id is, or belongs. */
static size_t place_of(const struct clusters *clusters, int id)
{
	size_t low = 0;
	size_t high = clusters->groups.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct group *group = clusters->groups.items[middle];

		if (group->cluster->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct group *group_at(const struct clusters *clusters, size_t at)
{
	return at < clusters->groups.count ? clusters->groups.items[at] : NULL;
}

struct group *clusters_group(struct clusters *clusters, const struct cluster *cluster)
{
	return cluster != NULL ? cluster->rounds : &clusters->clusterless;
}

struct group *clusters_after(const struct clusters *clusters, int id)
{
	return group_at(clusters, place_of(clusters, id + 1));
}

struct group *clusters_add(struct clusters *clusters, struct cluster *cluster)
{
	struct group *group = mem_zalloc(1, sizeof(*group));

	group_init(group, clusters->seats, cluster);
	cluster->rounds = group;
	list_insert(&clusters->groups, place_of(clusters, cluster->id), group);
	return group;
}

void clusters_want_rounds(struct clusters *clusters, bool runs)
{
	struct group *group;
	int id = -1;

	while ((group = clusters_after(clusters, id)) != NULL) {
		id = group->cluster->id;
		if (runs)
			group_run(group);
		group_want_round(group, false);
	}
	if (runs)
		group_run(&clusters->clusterless);
	group_want_round(&clusters->clusterless, false);
}

bool clusters_are_judging(const struct clusters *clusters)
{
	for (size_t i = 0; i < clusters->groups.count; i++) {
		if (group_is_judging(clusters->groups.items[i]))
			return true;
	}
	return group_is_judging(&clusters->clusterless);
}

void clusters_begin_born(struct group *group)
{
	struct group *born;

	while ((born = list_shift(&group->born)) != NULL) {
		born->born_in = NULL;
		group_run(born);
		group_pause(born, false); /* opens a round that was wanted meanwhile */
	}
}

static void drop(struct clusters *clusters, struct cluster *cluster, struct group *group)
{
	tell_dropped(cluster->id);
	if (group != NULL) {
		(void)list_remove_at(&clusters->groups, place_of(clusters, cluster->id));
		group_clear(group);
		free(group);
	}
	fleet_drop_cluster(clusters->seats->watches->fleet, cluster);
}

void clusters_drop_empty(struct clusters *clusters)
{
	struct list *emptied = &clusters->seats->watches->fleet->emptied;

	for (size_t i = emptied->count; i-- > 0;) {
		struct cluster *cluster = emptied->items[i];
		struct group *group = clusters_group(clusters, cluster);

		if (cluster->members.count > 0) { /* nodes have come since */
			cluster->emptied = false;
			(void)list_remove_at(emptied, i);
		} else if (group == NULL || !group->open) {
			drop(clusters, cluster, group); /* which also takes it off the list */
		}
	}
}
