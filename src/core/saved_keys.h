/*
 * The saved state (saved.h) in parts, a key each, for who stores what changed alone: `state/meta` with the counts,
 * `state/cluster/ID` and, of each node that is in a cluster, `state/node/HOST:PORT`. A part changes only when what
 * it is about does. The keys stand behind a prefix that is nobody's business here. Pure; saved_gather.h makes of
 * such parts what saved_restore() takes.
 */
#pragma once

#include "core/saved.h"

#define SAVED_META "state/meta"
#define SAVED_CLUSTER "state/cluster/" /* an id follows, */
#define SAVED_NODE "state/node/"       /* or a node's id, exactly as configured */

/* The caller's. */
char *saved_keys_cluster(int id);
char *saved_keys_node(const char *id);

/* One JSON object each, appended. A node that is in no cluster has no part, nor has a cluster without members. */
void saved_keys_render_meta(const struct fleet *fleet, unsigned long event_count, struct buf *out);
void saved_keys_render_cluster(const struct cluster *cluster, struct buf *out);
void saved_keys_render_node(const struct node *node, const struct moment *now, struct buf *out);
