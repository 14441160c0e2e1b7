/*
 * The condition of a node, in one word: what the rules of cluster-rules.md ("From observation to verdict",
 * P1-P8) conclude of it in its place. Whoever shows a node asks here, so that all say the same. Pure.
 */
#pragma once

#include "core/fleet.h"

enum condition {
	CONDITION_WELL,
	CONDITION_FAILING,     /* it keeps its place by P2, P3, P5 or P8 */
	CONDITION_HELD,        /* its server is alive, but refuses new connections or beats (P1) */
	CONDITION_VOUCHED_FOR, /* a master that this monitor cannot reach, but its slaves or other monitors do (P6) */
	CONDITION_ISOLATED,    /* the monitor reaches no other host, so it cannot know how the node is (P7) */
	CONDITION_LATE,        /* it answers, and is out of sync */
	CONDITION_DOWN,        /* its failure counts; or as master it answers, but its beat is refused */
	CONDITION_UNKNOWN      /* it has not answered yet, or no rule has judged it since a restart */
};

enum condition node_condition(const struct node *node);

/* "well", "failing", "held", ...: the key `condition` of the control socket. */
const char *condition_name(enum condition condition);

/*
 * Returns why the node is in its condition, and sets `message` to the words, which the node owns. REASON_NONE and
 * NULL for a node that is well or unknown, and for a failure that does not count yet.
 */
enum reason node_why(const struct node *node, const char **message);
