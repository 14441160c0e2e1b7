/*
 * Which server is at the other end of a connection: what must be asked for that, and what it has told. A
 * connection asks once, with its first look, and once more when it first hears that the server is a master. What
 * may be refused is asked of the catalogue first, once a node: an error is a line in the server's log. Monitor thread.
 */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>

#include "core/observation.h"

#define WHO_VERSION 100000 /* from this version on a server can be asked */

/* Of a node, over all its connections. Zero-initialised: nothing yet. */
struct who_known {
	bool may;     /* the server let us ask, last time */
	bool refuses; /* it said that we may, and refused: it is asked no more */
};

/* Of one connection. Zero-initialised: nothing was asked. */
struct who {
	struct who_known *known; /* the node's */
	struct origin origin;    /* system 0: not told */
	bool looked;    /* who_may_sql was asked over this connection */
	bool failed;    /* the question was refused: it is not asked again over this connection */
	bool as_master; /* it was asked as a master, or has told a timeline: it is not asked again as one */
};

extern const char who_may_sql[]; /* whether the next may be asked: one boolean */
extern const char who_sql[];     /* system identifier, start, age, timeline (NULL: of a slave) */

enum who_next { WHO_NOTHING, WHO_MAY, WHO_ASK };

/* What is asked of a server of that version now, as role `kind` (OBSERVED_NOTHING: not known yet). */
enum who_next who_ask(struct who *who, int server_version, enum observation_kind kind);

/* Take the results of who_may_sql and who_sql. */
void who_take_may(struct who *who, const PGresult *result);
void who_take(struct who *who, const PGresult *result);

/* Forgets all, and asks no more: a connection pool lies between, and another server may answer next. */
void who_is_pooled(struct who *who);
