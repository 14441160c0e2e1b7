/*
 * The rules of cluster-rules.md, a row each: the id, the place of the nodes that it is about, the finding for which it
 * speaks, what it does, and the sentence that `plusmoin explain` prints. The rows of slaves and lost nodes are
 * looked up by the finding (rules.c). For the other rules the code asks for a beat or compares times.
 */
#pragma once

#include "core/fleet.h"

/* What was found of a slave or a lost node, as far as the rules tell it apart. */
enum finding {
	FOUND_ELSE,      /* the rule is not looked up by a finding */
	FOUND_DOWN,      /* its failure counts */
	FOUND_ELSEWHERE, /* its row names the master of another cluster, and it is in sync there */
	FOUND_LATE,      /* it answers as slave, and is not in sync */
	FOUND_IN_SYNC
};

/* What a rule does with the node. */
enum outcome {
	OUTCOME_STAYS,
	OUTCOME_LOST,
	OUTCOME_SLAVE,
	OUTCOME_SEAT,
	OUTCOME_FOUNDS,  /* it founds a cluster of its own */
	OUTCOME_LEAVES,  /* it leaves its cluster and joins the one whose master it names */
	OUTCOME_GONE     /* it leaves the fleet by a reload */
};

struct rule_row {
	enum rule rule;
	enum place place;     /* of the nodes that it is about */
	enum finding finding;
	enum outcome outcome;
	enum event_kind event; /* what it fires if T1-T5 allow it; EVENT_NONE: nothing */
	const char *sentence;
};

/* Returns the rule's row; for RULE_NONE one with an empty sentence. */
const struct rule_row *rule_row(enum rule rule);

/* Returns the row that speaks for a slave or a lost node with this finding. */
const struct rule_row *rule_row_for(enum place place, enum finding finding);
