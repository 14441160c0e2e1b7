/*
 * Disputes: two masters of one origin (the same system identifier, another start), which were masters at the same
 * moment. One lasts until one of the two says that it is slave, turns out to be another server or leaves the
 * configuration; not when one is away. Pure; monitor thread.
 */
#pragma once

#include "core/fleet.h"

#define DISPUTES_MOST 8 /* of a node; it is compared with so many others, the newest masters of its origin */

#define DISPUTES_SHOWN 100 /* in `plusmoin status` */

struct dispute {
	struct node *newer; /* on the newer timeline, else the later to say master */
	struct node *older;
	struct node *second; /* of the two: who did not sit first, when it was found; health calls it no primary */
	bool told;          /* split_brain has fired */
	int64_t found_ms;   /* steady */
};

/* Whether there was a moment at which both were masters: each has said so to a question put after the other had. */
bool reign_overlaps(const struct reign *a, const struct reign *b);

/*
 * After an answer of `node`: finds new disputes, which are at the end of fleet->disputes then. Nodes that must be
 * asked anew before it can be told whether they are masters together are added to fleet->wanted.
 */
void dispute_find(struct fleet *fleet, struct node *node, const struct moment *now);

/* Ends those of the node. */
void dispute_end_all(struct fleet *fleet, struct node *node);

/* The control socket's array of pairs, the newer one first in each: [["db2:5432", "db1:5432"], ...]. */
struct json;
void dispute_render(const struct fleet *fleet, struct json *json);

/* The other one of the two. */
const struct node *dispute_rival(const struct dispute *dispute, const struct node *node);

/* Who sat first, of a dispute in which `node` is the second; NULL: it is that in none. */
const struct node *dispute_first(const struct node *node);
