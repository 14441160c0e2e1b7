/*
 * Why a node is where it is, for people: what was seen of it, which rule spoke, and
 * what is missing for the next change (plusmoin explain). Pure.
 */
#pragma once

#include "base/json.h"
#include "core/fleet.h"

/* The last `most` looks at the node, oldest first: an array. */
void why_seen(const struct node *node, size_t most, struct json *json);

/*
 * Into an open object: "nodes", how many there are, and "unwell", the ids of those that
 * fail, are held, lost or clusterless.
 */
void why_unwell(const struct fleet *fleet, struct json *json);

/*
 * Into an open object: "node" (as in the status), "placed_by", "rule", "rule_sentence", "rule_since",
 * "failing" (or null), "seen" (all that is kept) and "needs" (sentences).
 */
void why_node(const struct fleet *fleet, const struct node *node, const struct moment *now,
		  struct json *json);
