/*
 * The rules of cluster-rules.md, a row each: id, of whom, when, what then, and the sentence that
 * `plusmoin explain` prints. Rows of slaves and lost nodes are looked up by what was found of the node
 * (rules.c); of the others the code asks for a beat or compares times, and the row says it.
 */
#pragma once

#include "core/fleet.h"

/* What was found of a slave or a lost node, as far as the rules tell it apart. */
enum finding {
	FOUND_ELSE,      /* by other means than this table */
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
	OUTCOME_FOUNDS,  /* a cluster of its own */
	OUTCOME_LEAVES,  /* and joins the cluster whose master it names */
	OUTCOME_GONE     /* from the fleet, by a reload */
};

struct rule_row {
	enum rule rule;
	enum place place;     /* whom it is about */
	enum finding finding;
	enum outcome outcome;
	enum event_kind event; /* T1-T5 permitting; EVENT_NONE: it fires none by itself */
	const char *sentence;
};

/* The rule's row; of RULE_NONE one with an empty sentence. */
const struct rule_row *rule_row(enum rule rule);

/* The row that speaks for a slave or a lost node of which that was found. */
const struct rule_row *rule_row_for(enum place place, enum finding finding);
