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
	bool has_shown;         /* the node has shown a row that counts in the target, or else in its own cluster */
	int64_t shown;          /* the tstamp by which that row counts */
};

/* Returns the S or L rule for a slave or a lost node. */
struct ruling rule_for_member(const struct fleet *fleet, const struct node *node,
			      const struct moment *now);

/* Returns U1, U3 or U4; U2 needs a beat, so round.c has it. A node does not join a cluster that is starting. */
struct ruling rule_for_clusterless(const struct fleet *fleet, const struct node *node,
				   const struct moment *now);

/* Returns U3 if the node may join this cluster, which may be starting; else U4. */
struct ruling rule_to_join(const struct fleet *fleet, const struct node *node,
			   struct cluster *cluster);

/* Returns the rule by which the holder of a seat keeps or leaves it: M1, M2, M3 or RULE_NONE. */
enum rule rule_for_holder(const struct fleet *fleet, const struct node *node,
			  const struct moment *now);

/*
 * Returns the rule by which a member that says master is tried with a beat: M4, M6, or
 * RULE_NONE when it must not be tried (a lost node while the holder is failing).
 */
enum rule rule_for_candidate(const struct fleet *fleet, const struct node *node,
			     const struct moment *now);

/*
 * Whether a member that says master has to wait for an answer of the holder, which is failing (under P1
 * or P5). M6 needs an observation of the holder in the same round, but no round waits for a failing node.
 */
bool rules_wait_for_holder(const struct fleet *fleet, const struct node *node,
			   const struct moment *now);

/* Whether judging node->seen now would, as far as can be told, change the node's place. */
bool rules_would_move(const struct fleet *fleet, const struct node *node,
		      const struct moment *now);
