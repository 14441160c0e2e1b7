/*
 * Which server a node is, by its own words, and which nodes are kin by that: entries of one server, and
 * masters of one origin. Both are found by an index in constant time, however large the fleet is. Pure;
 * monitor thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/naming.h"
#include "core/observation.h"

struct fleet;
struct node;

/*
 * For how long a node is known to have been a master, steady ms: from the answer in which it first said so to the
 * last question to which it did. A master stays one until its server stops, or it says slave.
 */
struct reign {
	int64_t first_ms; /* INT64_MAX: it is none */
	int64_t put_ms;   /* INT64_MIN: it is none */
};

/* In each node. */
struct kin {
	struct origin origin; /* as last told */
	bool is_told;         /* by the server that answered last; else it is compared with nobody */
	char *server;         /* its name in fleet->servers, while it is told; NULL: it is not there */
	char *system;         /* its name in fleet->masters, while it is a master; NULL: it is not there */
	struct reign reign;
	int64_t since_ms;     /* steady: when it was first told to be this server, */
	int64_t answered_ms;  /* when it last answered as that; INT64_MIN: never, */
	bool moved;           /* and that this entry has led to another server before */
	int64_t system_before; /* another server was met there: that one's system; 0: that was told, or there was none */
	struct node *twin;    /* another entry of this server, which stands for it; NULL: none */
	struct list disputes; /* struct dispute * (dispute.h) */
	bool is_wanted;       /* it is in fleet->wanted */
	bool is_gone;         /* from the fleet */
};

#define NO_REIGN ((struct reign){ .first_ms = INT64_MAX, .put_ms = INT64_MIN })
#define NO_KIN ((struct kin){ .reign = NO_REIGN, .since_ms = INT64_MIN, .answered_ms = INT64_MIN })

/*
 * Takes in what an answer tells of who the server is. Forgets what belonged to another server: row, lag and aliases.
 * True: it is new that it is this one, so that other entries of it may have become twins.
 */
bool kin_take(struct fleet *fleet, struct node *node, const struct observation *seen, const struct moment *now);

/* The next entry of the node's server whose twin it is; begin with NULL. Valid until the next kin_take(). */
struct bearer;
const struct bearer *kin_next_twin(const struct fleet *fleet, const struct node *node, const struct bearer *before);

/* What an answer of a node that has a twin comes to: a failure (same_server). */
void kin_fail(const struct node *node, const struct observation *seen, struct observation *failure);

/* After fleet_reload(): who was removed is nobody's twin or rival any more, nor is who is to be compared with nobody. */
void kin_reload(struct fleet *fleet, const struct list *removed);
