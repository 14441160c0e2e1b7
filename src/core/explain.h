/*
 * Why a node is where it is, for people: what was seen of it, which rule spoke, and
 * what is missing for the next change (plusmoin explain). Pure.
 */
#pragma once

#include "base/json.h"
#include "core/fleet.h"

/*
 * Into an open object: "node" (as in the status), "rule", "rule_since", "failing" (or
 * null), "seen" (oldest first) and "needs" (sentences).
 */
void explain_node(const struct fleet *fleet, const struct node *node, const struct moment *now,
		  struct json *json);
