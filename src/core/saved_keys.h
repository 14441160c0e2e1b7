/*
 * The saved state (saved.h) in parts with a key each, so that only what has changed is stored: `state/meta` with the
 * counts, `state/cluster/ID` and, for each node that is in a cluster, `state/node/HOST:PORT`. Who stores them puts a
 * prefix before the keys. Pure; saved_gather.h makes of such parts what saved_restore() takes.
 */
#pragma once

#include "core/saved.h"

#define SAVED_META "state/meta"
#define SAVED_CLUSTER "state/cluster/" /* the cluster's id follows */
#define SAVED_NODE "state/node/"       /* the node's id follows, exactly as configured */

/* Return the key, which the caller frees. */
char *saved_keys_cluster(int id);
char *saved_keys_node(const char *id);

/* Append one JSON object each. A node that is in no cluster has no part, nor has a cluster without members. */
void saved_keys_render_meta(const struct fleet *fleet, unsigned long event_count, struct buf *out);
void saved_keys_render_cluster(const struct cluster *cluster, struct buf *out);
void saved_keys_render_node(const struct node *node, const struct moment *now, struct buf *out);
