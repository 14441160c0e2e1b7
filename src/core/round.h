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

#include "core/fleet.h"
#include "core/rules.h"

/* One node's change, with the rule that spoke. */
struct change {
	enum rule rule;
	struct node *node;
	struct cluster *from; /* NULL: clusterless */
	struct cluster *to;
	enum place from_place;
	enum place to_place;
	enum event_kind event;   /* EVENT_NONE: fires nothing */
	struct cluster *cluster; /* in whose queue the event goes */
	enum reason reason;      /* why the node left its place */
	char message[MESSAGE_BYTES];
};

struct changes {
	struct change *items;
	size_t count;
};

enum round_phase { ROUND_HOLDER, ROUND_CANDIDATES, ROUND_MEMBERS, ROUND_ENDED };

struct round {
	struct fleet *fleet;
	struct cluster *cluster; /* NULL: the clusterless nodes */
	bool starting;           /* U2 founds clusters that wait for their slaves, no event */
	struct node *only;       /* while starting: the one clusterless node to be tried */
	struct node *seat_before; /* who sat in the seat when the round began */
	enum round_phase phase;
	struct list candidates; /* nodes that say master, in the order in which they are tried */
	struct list refused;    /* slaves that M5 made lost: L4 speaks in the next round */
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

/* Puts the changes that fire something first, in the order of rule T4. */
void round_sort(struct round *round);

/* Frees what the round holds; an unfinished one leaves the fleet as it stands. */
void round_end(struct round *round);

/* Appends to a list of changes a node's move by `rule`, made with fleet_move(). */
struct change *changes_move(struct changes *changes, enum rule rule, struct node *node,
			    struct cluster *to, enum place place, const struct moment *now);
/* U3: puts a clusterless node into `cluster`, whose master its row names; slave_up if in sync. */
struct change *changes_join(struct changes *changes, const struct fleet *fleet, struct node *node,
			    struct cluster *cluster, const struct moment *now);
void changes_free(struct changes *changes);
