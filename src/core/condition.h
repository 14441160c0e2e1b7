/*
 * How a node is, in one word: what the rules of cluster-rules.md ("From observation to verdict", P1-P7)
 * make of it where it stands. Whoever shows a node asks here, so that all say the same. Pure.
 */
#pragma once

#include "core/fleet.h"

enum condition {
	CONDITION_WELL,
	CONDITION_FAILING,     /* it keeps its place by P2, P3 or P5 */
	CONDITION_HELD,        /* its server is alive, only its door is shut (P1) */
	CONDITION_VOUCHED_FOR, /* the way to it has failed, and its slaves still hear it (P6) */
	CONDITION_ISOLATED,    /* the monitor is cut off from all other hosts: how it is, nobody knows (P7) */
	CONDITION_LATE,        /* it answers, and is out of sync */
	CONDITION_DOWN,        /* its failure counts; or as master it answers, but its beat is refused */
	CONDITION_UNKNOWN      /* it was not heard of yet, or not judged since a restart */
};

enum condition node_condition(const struct node *node);

/* "well", "failing", "held", ...: the key `condition` of the control socket. */
const char *condition_name(enum condition condition);

/*
 * Why it is in that condition, and in which words; REASON_NONE and NULL where people are shown none:
 * of a well or unknown node, and of a failure that does not count yet. The words are the node's.
 */
enum reason node_why(const struct node *node, const char **message);
