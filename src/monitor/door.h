/*
 * A node's door is shut while fresh connections fail beside the kept one, and open otherwise. Decided here is when a
 * fresh one is tried, how long after a refusal, and when P1 begins and ceases to hold the node. Monitor thread.
 */
#pragma once

#include "monitor/node.h"

/* Forgets what is known of the door, as when the kept connection has ended. */
void door_forget(struct watch *watch);

/* Tries a fresh connection at once if the door is shut: a reload may have opened it. */
void door_knock(struct watch *watch);

/* Notes how a fresh connection went (`failure` NULL: it stands). Returns whether the node is worth a look. */
bool door_refreshed(struct watch *watch, const struct evidence *failure);
void door_close(struct watch *watch);

/*
 * Whether P1 begins or ceases to hold the node, by what was told of it before. HOLD_BEGINS: the
 * caller fires node_held with `*reason` and `*message` (the node's). Not while a round has moved the
 * node and its changes were not told yet.
 */
enum hold { HOLD_AS_BEFORE, HOLD_BEGINS, HOLD_ENDS };
enum hold door_judge(struct watch *watch, const struct moment *now, enum reason *reason,
		     const char **message);

/* Begins fresh connections, one node after another; doors_plan() sets how often, by the present configuration. */
void doors_open(struct watches *all);
void doors_plan(struct watches *all);
