/*
 * One round of a cluster, or of the clusterless nodes: from what was seen of
 * the nodes (node->seen) to changes and events. The only thing it needs from
 * outside are beats, so it stops and asks for one:
 *
 *	round_begin(&round, fleet, cluster);
 *	... look at all nodes, node_observe() each ...
 *	while (round_step(&round, &now, &node, &order))
 *		round_take_beat(&round, &now, &(result of writing order through node));
 *	... round.changes: log them, fire their events in round_sort()'s order ...
 *	round_end(&round);
 *
 * Between steps other rounds may run and move nodes in or out.
 */
#pragma once

#include "core/changes.h"
#include "core/rules.h"

enum round_phase { ROUND_HOLDER, ROUND_CANDIDATES, ROUND_ENDED };

struct round {
	struct fleet *fleet;
	struct cluster *cluster; /* NULL: the clusterless nodes */
	unsigned long number;    /* no other round of the fleet has it */
	bool starting;           /* U2 founds clusters that wait for their slaves, no event */
	struct node *only;       /* while starting: the one clusterless node to be tried */
	struct node *seat_before; /* who sat in the seat when the round began */
	enum round_phase phase;
	struct list candidates; /* nodes that say master, in the order in which they are tried, once a round */
	struct node *trying;    /* whose beat is under way */
	enum rule trying_rule;
	struct changes changes;
};

void round_begin(struct round *round, struct fleet *fleet, struct cluster *cluster);

/*
 * Goes on until the round is done (false), or until a beat is wanted (true):
 * the caller writes `*order` through `*node` and gives round_take_beat() the
 * result.
 */
bool round_step(struct round *round, const struct moment *now, struct node **node,
		struct beat_order *order);
void round_take_beat(struct round *round, const struct moment *now,
		     const struct beat_result *result);

/*
 * Takes a node that leaves the fleet by a reload out of an unfinished round: the round goes on
 * without it, tells no change of it, and does not wait for its beat.
 */
void round_forget(struct round *round, const struct node *node);

/* The beat under way was lost with its connection: round_step() asks for it once more. */
void round_repeat(struct round *round);

/* Puts the changes that fire something first, in the order of rule T4. */
void round_sort(struct round *round);

/* Frees what the round holds; an unfinished one leaves the fleet as it stands. */
void round_end(struct round *round);
