/*
 * Makes a connection to a configured node. A dial looks up the node's name and tries its addresses one after another,
 * the last good one first; it begins again with the first while some have not answered. First the addresses share the
 * time for which somebody waits for the answer, then what is left of `connect_timeout`. Loop's thread.
 */
#pragma once

#include "core/config.h"
#include "loop/deadline.h"
#include "net/resolve.h"
#include "pg/conn.h"

struct dial;

struct dial_target {
	const struct config_node *node; /* must outlive the dial */
	const char *options;  /* libpq's `options`, which win over the user's; NULL: no setting of ours is sent */
	const char *defaults; /* libpq's `options` over which the user's own win; NULL: none */
	struct drain *drain; /* takes connects that are given up half way; NULL: they are closed */
	int64_t timeout_ms;
	int64_t wait_ms;   /* for so long somebody waits for the answer: the addresses share it; 0: timeout_ms */
	int64_t lookup_ms; /* after that a look-up's last good addresses are taken; 0: RESOLVE_PATIENCE_MS */
	int64_t answer_ms; /* how long a connected host's TCP may be silent (dial.c); 0: the system decides */
	char *last_good; /* the owner's INET6_ADDRSTRLEN + 1 bytes, read, and set by a success; "": none */
};

/*
 * Returns a target with the times of a connect for the monitor's own questions; the caller fills in the rest. One
 * `beside` a kept connection has `query_timeout` at most. `half`: half of that has passed, so the other half is shared.
 */
struct dial_target dial_terms(const struct config *config, bool beside, bool half);

/*
 * `done` is called once, never from inside this call: with a connection that is
 * the callee's from now on (it must conn_listen() at once), or with NULL and
 * why (`path` is set there). It is not called after dial_cancel().
 */
struct dial *dial_start(uv_loop_t *loop, struct resolver *resolver, struct deadlines *deadlines,
			const struct dial_target *target,
			void (*done)(void *data, struct conn *conn,
				     const struct evidence *evidence),
			void *data);

/*
 * The failure that tells most, of the addresses tried so far; NULL: none has failed, or all were silent. Valid until
 * the dial goes on.
 */
const struct evidence *dial_failure(const struct dial *dial);

/* As login_hangs() of the present connect. */
bool dial_hangs(const struct dial *dial, struct evidence *evidence);

/* The answer is wanted soon: a look-up waits for RESOLVE_PATIENCE_MS at most from now on. NULL allowed. */
void dial_hurry(struct dial *dial);

/* Whether it still waits for the addresses of a name. */
bool dial_is_looking_up(const struct dial *dial);

/* Whether the TCP of one of its addresses has answered so far. */
bool dial_has_reached(const struct dial *dial);

/* Whether TCP has answered, and the login goes on. */
bool dial_is_logging_in(const struct dial *dial);

/* Replaces the node by the same one of another configuration, which must outlive the dial. NULL allowed. */
void dial_set_node(struct dial *dial, const struct config_node *node);

/* NULL allowed; clears the pointer. */
void dial_cancel(struct dial **dial);
