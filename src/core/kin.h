/*
 * Which server a node is, as the server itself says, and which nodes are kin by that. Kin are entries of one
 * server (the same system identifier and postmaster start: twins), and masters of one origin (the same system
 * identifier). An index finds both in constant time, however large the fleet is. Pure; monitor thread.
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
 * The time in which a node is known to have been a master, steady ms: from the answer in which it first said master to
 * the last question that it answered so. It goes on until the server stops or says slave.
 */
struct reign {
	int64_t first_ms; /* when it first said master; INT64_MAX: it is none */
	int64_t put_ms;   /* when the last question was sent that it answered so; INT64_MIN: it is none */
};

/* What is known of the kin of a node; each node has one. */
struct kin {
	struct origin origin; /* as the server last told it */
	bool is_told;         /* the last answer told the origin; else the node is compared with no other */
	char *server;         /* its key in fleet->servers; NULL: it is not there, because the origin is not told */
	char *system;         /* its key in fleet->masters; NULL: it is not there, because it is no master */
	struct reign reign;
	int64_t since_ms;     /* steady, when this server first answered at this entry; INT64_MIN: never */
	int64_t answered_ms;  /* steady, when this server last answered at this entry; INT64_MIN: never */
	bool moved;           /* this entry has led to another server before (an address that moves) */
	int64_t system_before; /* system identifier of the other server met there before; 0: none, or it was reported */
	struct node *twin;    /* the other entry that stands for this server; NULL: this one does */
	struct list disputes; /* struct dispute * (dispute.h) */
	bool is_wanted;       /* it is in fleet->wanted */
	bool is_gone;         /* the node has left the fleet */
};

#define NO_REIGN ((struct reign){ .first_ms = INT64_MAX, .put_ms = INT64_MIN })
#define NO_KIN ((struct kin){ .reign = NO_REIGN, .since_ms = INT64_MIN, .answered_ms = INT64_MIN })

/*
 * Notes which server has answered. If it is another one than before, what belonged to that one is forgotten: row, lag
 * and aliases. Returns true if the node is newly known to be this server, so that others may have become its twins.
 */
bool kin_take(struct fleet *fleet, struct node *node, const struct observation *seen, const struct moment *now);

/* Returns the next entry whose twin `node` is; `before` is NULL for the first one. Valid until the next kin_take(). */
struct bearer;
const struct bearer *kin_next_twin(const struct fleet *fleet, const struct node *node, const struct bearer *before);

/* Makes the failure (same_server) that replaces an answer of a node that has a twin; `seen` NULL: no answer came. */
void kin_fail(const struct node *node, const struct observation *seen, struct observation *failure);

/* Called after fleet_reload(): ends twins and disputes with removed nodes, and disputes with ignore_system_id nodes. */
void kin_reload(struct fleet *fleet, const struct list *removed);
