/*
 * One login of libpq's at a server, in steps: each PQconnectStartParams and PQconnectPoll is a call in a worker
 * thread (loop/workers.h), for libpq reads files there (passfile, certificate, key) and computes as many
 * iterations as the server asks for. One thread has the PGconn at a time: while a step is under way nobody
 * else has it. What a step that does not come back means is said here. Loop's thread.
 */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <uv.h>

#include "pg/drain.h"
#include "pg/evidence.h"

#define LOGINS_LEFT_BEHIND 2 /* with the same words to libpq: that many steps may be left behind, then none is begun */

struct login;

/*
 * Begins with the first step; the keywords and values of PQconnectStartParams are copied. `stepped` is called
 * after each step, never from inside a call of the owner: what libpq waits for now. `spares`: as conn_open().
 */
struct login *login_start(uv_loop_t *loop, const char *const *keywords, const char *const *values, bool spares,
			  void (*stepped)(void *data, PostgresPollingStatusType next), void *data);

/* Begins the next step. The caller watches the socket no more: libpq may change it. */
void login_step(struct login *login);

/* Still the login's; NULL while a step is under way or when there is none. */
PGconn *login_pg(const struct login *login);

/* Whether a step is under way. */
bool login_is_stepping(const struct login *login);

/* `stepped` has been told PGRES_POLLING_FAILED, or the socket cannot be watched: what that is evidence of. */
void login_explain(const struct login *login, struct evidence *evidence);

/*
 * Whether a step is under way that does not come back, and what that is evidence of: of a server that asks for
 * too much once it has asked for authentication; before that of a lack of our own (a file). So is time of which half
 * was spent waiting for a worker. The first lack of some time is an error in the log, in which all nodes share.
 */
bool login_hangs(const struct login *login, struct evidence *evidence);

/*
 * How much processor time of worker threads a login of this process has cost of late, in microseconds (a mean of
 * those that succeeded; SCRAM and TLS make it milliseconds); 0: none has succeeded. Any thread.
 */
int64_t login_cost_us(void);

/* The connection that stands; the login is freed. */
PGconn *login_take(struct login **login);

/*
 * Ends it, wherever it is. What the server has to say still is left to `drain` (NULL: to nobody), which must
 * live until workers_close(). NULL allowed; clears the pointer.
 */
void login_leave(struct login **login, struct drain *drain);
