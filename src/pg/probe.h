/*
 * One node's kept connection and the questions asked over it: what role it has,
 * what row it shows, and beats. A probe reports facts; it has no opinion. One
 * question at a time; each ends within `query_timeout`, whatever has to be done
 * for it (connect, break, connect again). A connect that takes longer goes on in
 * the background until `connect_timeout`. A kept connection that is silent for half
 * of `query_timeout` gets a fresh one beside it, and the first answer is the node's. Now
 * and then (probe_refresh()) a fresh one takes its place: over a kept one alone nobody
 * notices that the server lets no new connection in. Monitor thread.
 */
#pragma once

#include "base/log.h"
#include "core/config.h"
#include "core/observation.h"
#include "core/vouch.h"
#include "loop/deadline.h"
#include "net/resolve.h"
#include "pg/drain.h"
#include "pg/evidence.h"
#include "pg/findings.h"

struct probe;

struct probe_events {
	/* The outcome of probe_look(), or of a connect that counts by itself. */
	void (*seen)(void *data, const struct observation *seen);
	/* Half of the time for a task has passed, and nothing was heard of the host: the way to it may be cut (P7). */
	void (*late)(void *data);
	/* The outcome of probe_beat(). */
	void (*beaten)(void *data, const struct beat_result *result);
	/* The kept connection broke while nothing was asked: worth a look. */
	void (*broke)(void *data);
	/* A connect in the background got through: worth a look. */
	void (*connected)(void *data);
	/*
	 * A fresh connection beside the kept one stands, or (`failure`) cannot be made: then
	 * the next look over the kept one says so, too.
	 */
	void (*refreshed)(void *data, const struct evidence *failure);
	/*
	 * A connection was tried: it stands, or (`failure`) it cannot be made, perhaps for want of something of our
	 * own (descriptors, ports, a file). `kept`: the node has another.
	 */
	void (*tried)(void *data, bool kept, const struct evidence *failure);
	/* What the node, a slave, hears of its master (P6); also unasked, when a connection was made. */
	void (*heard)(void *data, const struct hearing *hearing);
	/* A line for the log that is no observation ("no right to ..."). */
	void (*remark)(void *data, enum log_level level, const char *text);
};

struct probe_context {
	uv_loop_t *loop;
	struct resolver *resolver;
	struct drain *drain;
	struct findings_pool *pool;
	struct deadlines *deadlines; /* they know the monitor's own stalls (P4) */
};

/*
 * `config` and `node` must outlive the probe; `context` and `events` are copied. It takes
 * the server's last word (last_word.h) and the last good address from `before`, the node's
 * probe that it replaces, which stays the caller's; NULL allowed.
 */
struct probe *probe_new(const struct probe_context *context, const struct config *config,
			const struct config_node *node, const struct probe *before,
			const struct probe_events *events, void *data);

/*
 * Asks for role and row; with an `order` (the sitting master) for the role and,
 * if it says master, sends the beat at once. A row or beat that the server has refused is tried again
 * only after a pause (pause.h), and the outcome is the same as before until then; with `at_stake`, where
 * the node's place depends on it, it is tried each time. Not while probe_is_busy().
 */
void probe_look(struct probe *probe, const struct beat_order *order, bool at_stake);

/* Sends a beat to a node that has just said master. Not while probe_is_busy(). */
void probe_beat(struct probe *probe, const struct beat_order *order);
bool probe_is_busy(const struct probe *probe);

/* Whether a look would begin a connect: there is no connection, and none is being made. */
bool probe_needs_connect(const struct probe *probe);

/*
 * Asks a slave over its kept connection what it hears of its master. A task that begins meanwhile waits for that
 * answer, within its own time. If no answer comes, that means nothing. False: the slave is not asked, as it is busy,
 * has no connection, or has refused that before.
 */
bool probe_hear(struct probe *probe);

/* Whether a look over the kept connection is under way or, without one, a login after the server's TCP has answered. */
bool probe_is_logging_in(const struct probe *probe);

/* Makes a fresh connection beside the kept one, if there is one and none is being made. */
void probe_refresh(struct probe *probe);

/* Gives up a connect for which no task waits, so that the next look begins with one of its own. */
void probe_dial_anew(struct probe *probe);

/* The address of its last good connection, "": none yet, or it has none. The probe's. */
const char *probe_address(const struct probe *probe);

/*
 * Replaces the configuration by another in which the node has the same credentials, timeouts
 * and is_slave_statement; `config` and `node` must outlive the probe.
 */
void probe_set_config(struct probe *probe, const struct config *config,
		      const struct config_node *node);

/* Says goodbye; no callback comes any more. NULL allowed; clears the pointer. */
void probe_free(struct probe **probe);
