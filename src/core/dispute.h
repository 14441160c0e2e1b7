/*
 * A dispute is between two masters of one origin (the same system identifier, another postmaster start) that were
 * masters at the same moment. It ends when one of the two says that it is a slave, turns out to be another server or
 * leaves the configuration; it does not end while one is down. Pure; monitor thread.
 */
#pragma once

#include "core/fleet.h"

#define DISPUTES_MOST 8 /* per node, which is compared with this many of the newest masters of its origin */

#define DISPUTES_SHOWN 100 /* how many `plusmoin status` shows */

struct dispute {
	struct node *newer; /* the one on the newer timeline, else the one that said master later */
	struct node *older;
	struct node *second; /* the one that did not sit first when the dispute was found; health calls it no primary */
	bool told;          /* split_brain has fired */
	int64_t found_ms;   /* steady */
};

/* Whether both were masters at one moment: each has said master to a question sent after the other first said it. */
bool reign_overlaps(const struct reign *a, const struct reign *b);

/*
 * Called after an answer of `node`: appends the new disputes that it shows to fleet->disputes. Adds to fleet->wanted
 * the nodes that must be asked again before it is known whether they are masters at the same time.
 */
void dispute_find(struct fleet *fleet, struct node *node, const struct moment *now);

/* Ends all disputes of the node. */
void dispute_end_all(struct fleet *fleet, struct node *node);

/* Writes the control socket's array of pairs, the newer one first in each: [["db2:5432", "db1:5432"], ...]. */
struct json;
void dispute_render(const struct fleet *fleet, struct json *json);

/* Returns the other node of the dispute. */
const struct node *dispute_rival(const struct dispute *dispute, const struct node *node);

/* Returns who sat first in a dispute of which `node` is the second; NULL: there is no such dispute. */
const struct node *dispute_first(const struct node *node);
