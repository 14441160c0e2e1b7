/*
 * A node's door: whether fresh connections get in beside the kept one. How often one is tried, how
 * long after it was refused, and when P1 begins and ends to hold the node. Monitor thread.
 */
#pragma once

#include "monitor/node.h"

/* The kept connection is gone: what is known of the door is old. */
void door_forget(struct watch *watch);

/* A reload may have opened a door that is shut: to knock at once. */
void door_knock(struct watch *watch);

/* What a fresh connection came to; whether the node is worth a look. */
bool door_refreshed(struct watch *watch, const struct evidence *failure);
void door_close(struct watch *watch);

/*
 * Whether P1 begins or ceases to hold the node, by what was told of it before. HOLD_BEGINS: the
 * caller fires node_held with `*reason` and `*message` (the node's). To be asked while nobody has
 * moved the node without telling.
 */
enum hold { HOLD_AS_BEFORE, HOLD_BEGINS, HOLD_ENDS };
enum hold door_judge(struct watch *watch, const struct moment *now, enum reason *reason,
		     const char **message);

/* Fresh connections, one node after another; doors_plan() by the present configuration. */
void doors_open(struct watches *all);
void doors_plan(struct watches *all);
