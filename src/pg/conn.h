/*
 * One libpq connection to one address, inside the loop. It connects (login.h), runs batches of statements (batch.h;
 * all in one round trip) or one SQL text of the user's, and says when it breaks. The owner's callbacks are never
 * called from inside a call of the owner, and none comes after conn_close(). Monitor thread (or, for triggers, their
 * loop's).
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
	/* The connect has failed, or the connection has broken; the owner closes it. Called once. */
	void (*failed)(void *data, const struct evidence *evidence);
	/* The result of the statement with this tag; it lives for the call only. */
	void (*result)(void *data, int tag, const PGresult *result);
	/* All statements of the batch were answered. */
	void (*done)(void *data);
};

/*
 * Begins a connect with libpq's keywords and values, NULL-terminated and copied. With `spares` it fails, as a fault of
 * our own, when nothing but the reserve of descriptors is left (system/descriptors.h).
 */
struct conn *conn_open(uv_loop_t *loop, const char *const *keywords, const char *const *values,
		       bool spares, const struct conn_events *events, void *data);

/* Gives the connection another owner, whose callbacks are called from now on. */
void conn_listen(struct conn *conn, const struct conn_events *events, void *data);

/* Sends a batch; the connection must be connected and have no batch under way. */
void conn_send(struct conn *conn, const struct statement *statements, size_t count);

/* As batch_is_to_repeat(), when a batch is done. */
bool conn_is_to_repeat(const struct conn *conn);

/*
 * Sends SQL of the user's. With `params` (texts, NULL for NULL; the server infers their types) it is one statement;
 * `params` NULL: the simple protocol is used, and several statements are possible. Each row comes in a result of its
 * own (PGRES_SINGLE_TUPLE), each statement ends with a result without rows, and `done` follows.
 */
void conn_ask(struct conn *conn, const char *sql, int param_count, const char *const *params);

/* Whether it connects, and TCP has not answered yet. */
bool conn_is_reaching(const struct conn *conn);

/* Whether TCP has answered, also of a connect that has failed since. */
bool conn_has_reached(const struct conn *conn);

/* Whether a step of its login is under way in a worker thread. */
bool conn_is_stepping(const struct conn *conn);

/* As login_hangs(); false once it is connected. */
bool conn_hangs(const struct conn *conn, struct evidence *evidence);

/* Whether its host's TCP has not acknowledged all that was sent. It must be connected. */
bool conn_is_unacknowledged(const struct conn *conn);

/* Its socket; -1: it is not connected. */
int conn_fd(const struct conn *conn);

/* As PQserverVersion; 0 before it is connected, and where the server names an impossible one. */
int conn_server_version(const struct conn *conn);

/* Whether a transaction block is open. */
bool conn_in_transaction(const struct conn *conn);

/* The backend's pid as the login gave it (PQbackendPID); behind a connection pool it is no backend's. */
int conn_backend_pid(const struct conn *conn);

/* Says goodbye (Terminate) and frees; NULL allowed, clears the pointer. */
void conn_close(struct conn **conn);

/*
 * As conn_close(), but `drain` does what cannot be done at once (NULL: nobody does): it reads what the server still
 * answers to a question or to a connect half way, and closes later where this turn of the loop has no time for it.
 */
void conn_leave(struct conn **conn, struct drain *drain);
