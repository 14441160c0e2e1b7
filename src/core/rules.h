/*
 * The rules for members and clusterless nodes: which one speaks for a node, by
 * what was seen of it and the state of the fleet. Pure and without effect; round.c
 * carries out what they say. The numbers are those of cluster-rules.md.
 */
#pragma once

#include "core/rulebook.h"
#include "core/verdict.h"

struct ruling {
	enum rule rule;         /* RULE_NONE: nothing was seen, or the node is failing */
	struct cluster *target; /* S3, L3, U3: the cluster it belongs to */
	bool in_sync;           /* U3 */
	bool has_shown;         /* the row counts: */
	int64_t shown;          /* by this tstamp, in the target or its own cluster */
};

/* S and L: of a slave or a lost node. */
struct ruling rule_for_member(const struct fleet *fleet, const struct node *node,
			      const struct moment *now);

/* U1, U3, U4; U2 needs a beat and is round.c's. Clusters that are starting are not joined. */
struct ruling rule_for_clusterless(const struct fleet *fleet, const struct node *node,
				   const struct moment *now);

/* U3 for one cluster, also while it is starting. */
struct ruling rule_to_join(const struct fleet *fleet, const struct node *node,
			   struct cluster *cluster);

/* The rule by which the holder of a seat stays or goes: M1, M2, M3 or RULE_NONE. */
enum rule rule_for_holder(const struct fleet *fleet, const struct node *node,
			  const struct moment *now);

/*
 * Which rule lets a member that says master be tried with a beat: M4, M6, or
 * RULE_NONE when it is not its turn (a lost one while the holder is failing).
 */
enum rule rule_for_candidate(const struct fleet *fleet, const struct node *node,
			     const struct moment *now);

/*
 * Whether a member that says master waits for an answer of the holder, which fails (under P1
 * or P5, so no round waits for it): M6 needs to have seen it in the same round.
 */
bool rules_wait_for_holder(const struct fleet *fleet, const struct node *node,
			   const struct moment *now);

/* Whether judging node->seen now would, as far as can be told, change the node's place. */
bool rules_would_move(const struct fleet *fleet, const struct node *node,
		      const struct moment *now);
