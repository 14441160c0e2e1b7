/*
 * The register of groups (seats.h): one for each cluster, found by its id, and one of the clusterless
 * nodes. It makes and ends them as clusters are founded and dropped. Monitor thread.
 */
#pragma once

#include "monitor/seats.h"

struct clusters {
	struct seats *seats;
	struct list groups; /* by their clusters' ids */
	struct group clusterless;
};

void clusters_open(struct clusters *clusters, struct seats *seats);
void clusters_close(struct clusters *clusters);

/* The group of a cluster (NULL: it has none yet), or, of NULL, that of the clusterless nodes. */
struct group *clusters_group(struct clusters *clusters, const struct cluster *cluster);

/*
 * The cluster's group with the lowest id above `id` (begin with -1); NULL: no more. Thus groups may come
 * and go while somebody goes through them.
 */
struct group *clusters_after(const struct clusters *clusters, int id);

/* Makes the group of a cluster that has none. */
struct group *clusters_add(struct clusters *clusters, struct cluster *cluster);

/* Has a round open in each group, as soon as one may; `runs`: also begins the regular rounds. */
void clusters_want_rounds(struct clusters *clusters, bool runs);

/* Whether nodes have moved in some group, and nobody has been told yet. */
bool clusters_are_judging(const struct clusters *clusters);

/* Begins the rounds of the groups that the group's last round has founded, once its changes were told. */
void clusters_begin_born(struct group *group);

/* Drops clusters without members whose rounds have ended, and their groups; looks at no other. */
void clusters_drop_empty(struct clusters *clusters);
