/*
 * Reads what the file (saved_file.h) and the parts (saved_gather.h) of a saved state have in common: a node, a cluster,
 * the counts. What is wrong is left out, and counted.
 */
#pragma once

#include <jansson.h>

#include "core/saved.h"

/* Counts what was left out: nodes, clusters, holders, beats, counts, silences. */
struct saved_damage {
	size_t count;
	const char *first; /* the key, in the first that was left out, whose value is missing or wrong */
};

/* Counts one more; `what` lives as long as the damage. */
void saved_json_damage(struct saved_damage *damage, const char *what);

/* Reads one node; `in_file`: as saved_add_node() has it. False: it is left out, and nothing is to be freed. */
bool saved_json_node(const json_t *from, bool in_file, struct saved_node *node, struct saved_damage *damage);

/* The id of the node's cluster; -1: it is missing or wrong. */
int saved_json_cluster_of(const json_t *node);

/*
 * Reads a cluster without its nodes (`in_file`: they have to be there). False: it is left out, nothing is to be freed.
 */
bool saved_json_cluster(const json_t *from, bool in_file, struct saved_cluster *cluster, struct saved_damage *damage);

/*
 * Reads the counts. One that is wrong is left 0; saved_restore() then counts on from the ids in use. False: the format
 * is another one.
 */
bool saved_json_counts(const json_t *root, struct saved *saved, struct saved_damage *damage);
