/*
 * What a round changed: each node's move with the rule that spoke, for the log and
 * the events. A caller that still has such a list when a reload removes a node calls
 * changes_forget() for it.
 */
#pragma once

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
	struct node *rival;      /* of split_brain: the other master; else NULL */
	struct cluster *cluster; /* in whose queue the event goes */
	enum reason reason;      /* why the node left its place */
	char message[MESSAGE_BYTES];
	const struct list *witnesses; /* nodes that vouch for `node`, owned by who made the change; NULL: none */
};

struct changes {
	struct change *items;
	size_t count;
	size_t room; /* how many `items` has room for */
};

/* Moves the node by fleet_move() and appends the change. What is returned is valid until the next change. */
struct change *changes_move(struct changes *changes, enum rule rule, struct node *node,
			    struct cluster *to, enum place place, const struct moment *now);

/* U3: puts a clusterless node into `cluster`, whose master its row names; slave_up if in sync. */
struct change *changes_join(struct changes *changes, const struct fleet *fleet, struct node *node,
			    struct cluster *cluster, const struct moment *now);

/* Notes why the node left its place, in the change and (for people) in the node. */
void change_because(struct change *change, enum reason reason, const char *message);
void change_because_of_failure(struct change *change);

/*
 * The same for a node that is out of sync by this ruling; the words say how far behind it is and how far it may be.
 * `change` is NULL if the node was lost before and stays so.
 */
void change_because_of_lag(struct node *node, struct change *change, const struct ruling *ruling);

/* Notes that the row by which the ruling counts is the node's last good one. */
void node_shows(struct node *node, const struct ruling *ruling);

/* Drops the changes of a node that leaves the fleet. */
void changes_forget(struct changes *changes, const struct node *node);
void changes_free(struct changes *changes);
