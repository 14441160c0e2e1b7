/*
 * From a configured node to a connection that stands: its name is looked up,
 * its addresses are tried one after another, the last good one first, round after
 * round while some are silent: first each with its share of the time that somebody
 * waits for the answer, then of what is left of `connect_timeout`. Loop's thread.
 */
#pragma once

#include "core/config.h"
#include "loop/deadline.h"
#include "net/resolve.h"
#include "pg/conn.h"

struct dial;

struct dial_target {
	const struct config_node *node; /* must outlive the dial */
	const char *options;  /* libpq's, behind the user's own: they win; NULL: no setting of ours is sent at all */
	const char *defaults; /* the same before the user's own, which win; NULL: none */
	struct drain *drain; /* for connects that are given up half way; NULL: they are closed */
	int64_t timeout_ms;
	int64_t wait_ms;   /* an address must not hide the others for longer than that; 0: timeout_ms */
	int64_t lookup_ms; /* patience with a name whose addresses were known; 0: RESOLVE_PATIENCE_MS */
	int64_t answer_ms; /* how long a host may be silent once connected, see dial.c; 0: as the system does */
	char *last_good; /* INET6_ADDRSTRLEN + 1 bytes of the owner's, "" if none: read, set by a success */
};

/*
 * The times of a connect for the monitor's own questions; all else is the caller's to fill in. One `beside` a kept
 * connection has as long as a node has to answer, one whose look has had `half` of that already the other half.
 */
struct dial_target dial_terms(const struct config *config, bool beside, bool half);

/*
 * `done` is called once, never from inside this call: with a connection that is
 * the callee's from now on (it must conn_listen() at once), or with NULL and
 * why (`path` is right there). Not after dial_cancel().
 */
struct dial *dial_start(uv_loop_t *loop, struct resolver *resolver, struct deadlines *deadlines,
			const struct dial_target *target,
			void (*done)(void *data, struct conn *conn,
				     const struct evidence *evidence),
			void *data);

/*
 * What tells most of the addresses that have failed so far, but for silence; NULL: none. Valid
 * until the dial goes on.
 */
const struct evidence *dial_failure(const struct dial *dial);

/* As login_hangs() of the present connect. */
bool dial_hangs(const struct dial *dial, struct evidence *evidence);

/* The answer is wanted soon: no more patience with a name than RESOLVE_PATIENCE_MS. NULL allowed. */
void dial_hurry(struct dial *dial);

/* Whether it still waits for the addresses of a name. */
bool dial_is_looking_up(const struct dial *dial);

/* Whether the TCP of one of its addresses has answered so far. */
bool dial_has_reached(const struct dial *dial);

/* Whether TCP has answered, and the login goes on. */
bool dial_is_logging_in(const struct dial *dial);

/* The same node in another configuration, which must outlive the dial from now on. NULL allowed. */
void dial_set_node(struct dial *dial, const struct config_node *node);

/* NULL allowed; clears the pointer. */
void dial_cancel(struct dial **dial);
