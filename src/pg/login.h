/*
 * One login of libpq's at a server, in steps: each PQconnectStartParams and PQconnectPoll is a call in a worker
 * thread (loop/workers.h), for libpq reads files there (passfile, certificate, key) and computes as many
 * iterations as the server asks for. One thread has the PGconn at a time: while a step is under way nobody
 * else has it. login_hangs() says what a step means that does not come back. Loop's thread.
 */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <uv.h>

#include "pg/drain.h"
#include "pg/evidence.h"

#define LOGINS_LEFT_BEHIND 2 /* so many steps may be left behind of logins with the same keywords and values */

struct login;

/*
 * Begins with the first step; the keywords and values of PQconnectStartParams are copied. `stepped` is called
 * after each step with what libpq waits for now, never from inside a call of the owner. `spares`: as conn_open().
 */
struct login *login_start(uv_loop_t *loop, const char *const *keywords, const char *const *values, bool spares,
			  void (*stepped)(void *data, PostgresPollingStatusType next), void *data);

/* Begins the next step. The caller must have stopped watching the socket: libpq may change it. */
void login_step(struct login *login);

/* Its PGconn, which stays the login's; NULL while a step is under way or when there is none. */
PGconn *login_pg(const struct login *login);

/* Whether a step is under way. */
bool login_is_stepping(const struct login *login);

/* Sets the evidence of a failed login: `stepped` was told PGRES_POLLING_FAILED, or the socket cannot be watched. */
void login_explain(const struct login *login, struct evidence *evidence);

/*
 * Whether a step is under way that does not come back, and the evidence of that. After the server has asked for
 * authentication, the server asks for too much computing; before that, we lack something ourselves (a file). We also do
 * where the login has waited for workers for half of its time. The log has one line about a lack for all nodes.
 */
bool login_hangs(const struct login *login, struct evidence *evidence);

/*
 * How much processor time of worker threads a login of this process has cost of late, in microseconds (a mean of
 * those that succeeded; SCRAM and TLS make it milliseconds); 0: none has succeeded. Any thread.
 */
int64_t login_cost_us(void);

/* Returns the connection that was made, for the caller to own, and frees the login. */
PGconn *login_take(struct login **login);

/*
 * Ends the login at any stage. `drain` reads what the server still sends (NULL: nobody does); it must
 * live until workers_close(). NULL allowed; clears the pointer.
 */
void login_leave(struct login **login, struct drain *drain);
