/*
 * What the file (saved_file.h) and the parts (saved_gather.h) of the saved state have in common when they are read:
 * a node, a cluster, the counts. What is wrong is left out, and counted.
 */
#pragma once

#include <jansson.h>

#include "core/saved.h"

/* What was left out: nodes, clusters, holders, beats, counts, silences. */
struct saved_damage {
	size_t count;
	const char *first; /* the key of the first of them */
};

/* One more; `what` lives as long as the damage. */
void saved_json_damage(struct saved_damage *damage, const char *what);

/* Reads one node; `in_file`: as saved_add_node(). False, and nothing is to be freed: it is left out. */
bool saved_json_node(const json_t *from, bool in_file, struct saved_node *node, struct saved_damage *damage);

/* In whose cluster it is, -1: it does not say. */
int saved_json_cluster_of(const json_t *node);

/* Reads a cluster but for its nodes (`in_file`: which have to be there). False, and nothing is to be freed: it is left out. */
bool saved_json_cluster(const json_t *from, bool in_file, struct saved_cluster *cluster, struct saved_damage *damage);

/* Where a count is wrong, ids begin behind those that are in use. False: it is of another format. */
bool saved_json_counts(const json_t *root, struct saved *saved, struct saved_damage *damage);
