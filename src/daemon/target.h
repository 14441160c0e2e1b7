/* What somebody names: a node, a cluster, or all. Monitor's loop. */
#pragma once

#include "core/fleet.h"
#include "core/silences.h"

/* The node of that "host:port", else of that name; `*found`: how many have it. One that is only one of several is any of them. */
const struct node *target_find_node(const struct fleet *fleet, const char *name, size_t *found);

/*
 * Reads "all", a cluster's id, or a node's "host:port" or name into the silence's `kind`, `cluster_id` and `node` (which is to
 * be freed). False: there is no such thing, and `*why`, the caller's, says what there is; `*is_unknown`: it may be mistyped.
 */
bool target_read(const struct fleet *fleet, const char *text, struct silence *silence, char **why, bool *is_unknown);

/* Whether what the silence is about is not there any more, or not yet. */
bool target_is_gone(const struct fleet *fleet, const struct silence *silence);

/* The name that people have given to its node; NULL: it is of none, or of one that is gone. */
const char *target_name(const struct fleet *fleet, const struct silence *silence);
