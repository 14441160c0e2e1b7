/*
 * A connection to a node that stands, and the task that is done over it: a look
 * (role and row, or role and beat) or a beat. One task at a time; it ends with its
 * outcome, or with the connection. No deadline: that is the owner's. A lane reports
 * facts; it has no opinion. Monitor thread.
 */
#pragma once

#include "base/log.h"
#include "core/config.h"
#include "core/observation.h"
#include "core/vouch.h"
#include "pg/conn.h"
#include "pg/questions.h"

struct lane;

enum task_kind { TASK_NONE, TASK_LOOK, TASK_BEAT };

struct task {
	enum task_kind kind;
	bool has_order; /* of a look: the sitting master's; a beat has one always */
	struct beat_order order;
	bool at_stake; /* of a look: what the server has refused is tried each time, no pause put it off */
};

/* The last thing that happens in a lane's own call: it may be freed by any of them. */
struct lane_events {
	/* A look's outcome: what was seen; a failure only by what the server answered. The callee may add to it. */
	void (*looked)(void *data, struct lane *lane, struct observation *seen);
	void (*beaten)(void *data, struct lane *lane, const struct beat_result *result);
	/* The connection is gone; the task under way, if any, has no outcome. */
	void (*broke)(void *data, struct lane *lane, const struct evidence *evidence);
	/* What a slave hears of its master (P6): it was asked by lane_hear(), or when it began. The lane must live on. */
	void (*heard)(void *data, const struct hearing *hearing);
	/* A line for the log that is no observation ("no right to ..."). */
	void (*remark)(void *data, enum log_level level, const char *text);
};

struct lane_context {
	const struct config *config;
	int64_t made_for_ms; /* the query_timeout whose question_options() it began with */
	struct table_known *table;
	struct who_known *who;
	struct drain *drain;
	struct findings_pool *pool; /* of the monitor's */
};

/* Takes `conn` over. `events` and what is in `context`, which is copied, must outlive the lane. */
struct lane *lane_new(struct conn *conn, const struct lane_context *context,
		      const struct lane_events *events, void *data);

/*
 * Its settings are sent now, which else go with its first look: what is not asked at once may be ended by a
 * timeout of the server's before it is. Once, not while it is busy; a task may be given at once. `hears`: a slave is
 * asked what it hears of its master, too.
 */
void lane_settle(struct lane *lane, bool hears);

/*
 * Asks a slave what it hears of its master, beside all tasks: one that is given meanwhile begins when that is answered.
 * False: it is not asked, as something is under way, or it has refused that once. Not while it is busy.
 */
bool lane_hear(struct lane *lane);

/* Not while it is busy. */
void lane_do(struct lane *lane, const struct task *task);
bool lane_is_busy(const struct lane *lane);
int lane_server_version(const struct lane *lane);

/* As conn_is_unacknowledged(). */
bool lane_is_unacknowledged(const struct lane *lane);

/* When it was made, steady ms. */
int64_t lane_made_ms(const struct lane *lane);

/* The same is_slave_statement in another configuration, and the node's name for a beat under way. NULL allowed. */
void lane_set_config(struct lane *lane, const struct config *config, const char *master);

/*
 * Says goodbye; what it was asked and has not answered goes to the drain. No callback comes
 * any more. NULL allowed; clears the pointer.
 */
void lane_free(struct lane **lane);
