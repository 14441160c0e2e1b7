/*
 * One libpq connection to one address, inside the loop. It connects (login.h), runs
 * batches of statements (batch.h; all in one round trip) or one text of somebody else's, and says when it breaks. The owner's callbacks are never called from inside a
 * call of the owner, and none comes after conn_close(). Monitor thread (or, for
 * triggers, the loop's own).
 */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <uv.h>

#include "pg/batch.h"
#include "pg/drain.h"
#include "pg/evidence.h"

struct conn;

struct conn_events {
	void (*connected)(void *data);
	/* The connect failed, or a connection that stood has broken: close it. Once. */
	void (*failed)(void *data, const struct evidence *evidence);
	/* The result of the statement with this tag; it lives for the call only. */
	void (*result)(void *data, int tag, const PGresult *result);
	/* All statements of the batch were answered. */
	void (*done)(void *data);
};

/*
 * libpq's keywords and values, NULL-terminated; used during conn_open() only. `spares`: it fails, as a lack of our
 * own, when nothing but the reserve of descriptors is left (system/descriptors.h).
 */
struct conn *conn_open(uv_loop_t *loop, const char *const *keywords, const char *const *values,
		       bool spares, const struct conn_events *events, void *data);

/* Another owner hears of it from now on. */
void conn_listen(struct conn *conn, const struct conn_events *events, void *data);

/* Sends a batch; the connection must be connected and have no batch under way. */
void conn_send(struct conn *conn, const struct statement *statements, size_t count);

/* When a batch is done: as batch_is_to_repeat(). */
bool conn_is_to_repeat(const struct conn *conn);

/*
 * Sends somebody else's SQL. With `params` (texts, NULL for NULL; their types are
 * the server's to find) one statement; with NULL the simple protocol, several
 * statements. Rows come one a result (PGRES_SINGLE_TUPLE), behind a statement's
 * last row one without rows; then `done`.
 */
void conn_ask(struct conn *conn, const char *sql, int param_count, const char *const *params);

/* Whether TCP has not answered yet. */
bool conn_is_reaching(const struct conn *conn);

/* Whether TCP has answered, also of a connect that has failed since. */
bool conn_has_reached(const struct conn *conn);

/* Whether a step of its login is under way in a worker thread. */
bool conn_is_stepping(const struct conn *conn);

/* As login_hangs(). */
bool conn_hangs(const struct conn *conn, struct evidence *evidence);

/* Whether its host's TCP has not acknowledged all that was sent. It must stand. */
bool conn_is_unacknowledged(const struct conn *conn);

/* Its socket; -1: it does not stand. */
int conn_fd(const struct conn *conn);

/* As PQserverVersion; 0 before it is connected, and where the server names none that can be. */
int conn_server_version(const struct conn *conn);

/* Whether a transaction block of somebody's is open. */
bool conn_in_transaction(const struct conn *conn);

/* The pid that the server gave at the login, as PQbackendPID: behind a connection pool that of no server's process. */
int conn_backend_pid(const struct conn *conn);

/* Says goodbye (Terminate) and frees; NULL allowed, clears the pointer. */
void conn_close(struct conn **conn);

/*
 * The same; what the server still has to say to a question, or to a connect half way, and a goodbye for which this turn
 * of the loop has no time, is left to `drain` (NULL: to nobody).
 */
void conn_leave(struct conn **conn, struct drain *drain);
