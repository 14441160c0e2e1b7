/*
 * Why a node is where it is, for people: what was seen of it, which rule spoke, and
 * what is missing for the next change (plusmoin explain). Pure.
 */
#pragma once

#include "base/json.h"
#include "core/fleet.h"

/* Writes an array of the last `most` looks at the node, the oldest first. */
void why_seen(const struct node *node, size_t most, struct json *json);

/*
 * Writes into an open object: "nodes" (how many there are), "unwell" (the ids of those that fail, are held, lost or
 * clusterless), "isolated" (since when, or null) and "no_master" (ids of clusters with an empty seat).
 */
void why_unwell(const struct fleet *fleet, struct json *json);

/*
 * Writes into an open object: "node" (as in the status), "placed_by", "rule", "rule_sentence", "rule_since",
 * "failing" (or null), "seen" (all that is kept) and "needs" (sentences).
 */
void why_node(const struct fleet *fleet, const struct node *node, const struct moment *now,
		  struct json *json);
