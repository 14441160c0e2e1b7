/* Finds what somebody names over the control socket: a node, a cluster, or all. Monitor's loop. */
#pragma once

#include "core/fleet.h"
#include "core/silences.h"

/*
 * Finds the node of that "host:port", else of that name. `*found`: how many nodes have it; of several it returns any
 * one.
 */
const struct node *target_find_node(const struct fleet *fleet, const char *name, size_t *found);

/*
 * Reads "all", a cluster's id, or a node's "host:port" or name into the silence's `kind`, `cluster_id` and `node`,
 * which the caller frees. False: there is no such node or cluster, and `*why`, the caller's, says what there is;
 * `*is_unknown`: the text may be mistyped.
 */
bool target_read(const struct fleet *fleet, const char *text, struct silence *silence, char **why, bool *is_unknown);

/* Whether the node or cluster of the silence is not in the fleet any more, or not yet. */
bool target_is_gone(const struct fleet *fleet, const struct silence *silence);

/* The configured name of the silence's node; NULL: the silence is of no node, or of one that is gone. */
const char *target_name(const struct fleet *fleet, const struct silence *silence);
