/*
 * A connection for SQL of the user's (pm.query): made for the first question,
 * kept for the next, one question at a time. Names, addresses and deadlines as for
 * the monitor's own connections (dial.h). Loop's thread.
 */
#pragma once

#include "core/config.h"
#include "net/resolve.h"
#include "pg/rows.h"

struct question {
	const char *sql;
	int param_count;
	const char *const *params; /* NULL: the simple protocol; a NULL element is SQL's NULL */
	int64_t timeout_ms;        /* for all of it, connecting included */
};

struct session;

/*
 * Takes over what `node` holds. `bare`: no setting is sent (the consoles of poolers know none). Else it has the
 * settings of PINNED_FOR_OTHERS, unless the node's `options` say otherwise, and the server, too, ends what takes longer
 * than the timeout; behind a connection pool it does not (pinned_sql).
 */
struct session *session_new(uv_loop_t *loop, struct resolver *resolver, struct config_node *node,
			    bool bare);

/* Whether it has the same server and login as a session for `node` would have, and the same `bare`. */
bool session_is_for(const struct session *session, const struct config_node *node, bool bare);

/*
 * `done` is called once, never from inside this call: with the rows, which live for
 * the call only (but it may take them over, and leave an empty struct), or with an
 * error's text. What does not answer in time, or answers too
 * much, is disconnected; the next question connects anew.
 */
void session_ask(struct session *session, const struct question *question,
		 void (*done)(void *data, const char *error, struct rows *rows), void *data);

/* Disconnects; `done` is not called any more. NULL allowed; clears the pointer. */
void session_free(struct session **session);
