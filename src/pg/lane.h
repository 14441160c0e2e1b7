/*
 * A connection to a node, once it is made, and the task that is done over it: a look
 * (role and row, or role and beat) or a beat. One task at a time; it ends with its
 * outcome, or with the connection. The owner keeps the deadline. A lane reports
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
	bool has_order; /* `order` is set: always for a beat, of looks for those at the sitting master */
	struct beat_order order;
	bool at_stake; /* of a look: what the server has refused is tried each time, without a pause between */
};

/* The callee may free the lane, but in `heard` and `remark`: any other is the last thing that a lane's call does. */
struct lane_events {
	/* A look's outcome; of failures only those that the server has answered with. The callee may add to `seen`. */
	void (*looked)(void *data, struct lane *lane, struct observation *seen);
	void (*beaten)(void *data, struct lane *lane, const struct beat_result *result);
	/* The connection is gone; the task under way, if any, has no outcome. */
	void (*broke)(void *data, struct lane *lane, const struct evidence *evidence);
	/* What a slave hears of its master (P6): it was asked by lane_hear(), or with the lane's first questions. */
	void (*heard)(void *data, const struct hearing *hearing);
	/* A line for the log that is no observation ("no right to ..."). */
	void (*remark)(void *data, enum log_level level, const char *text);
};

struct lane_context {
	const struct config *config;
	int64_t made_for_ms; /* the query_timeout under which its connection was made (question_options()) */
	struct table_known *table;
	struct who_known *who;
	struct drain *drain;
	struct findings_pool *pool; /* the monitor's */
};

/* Takes `conn` over. `events` and what is in `context`, which is copied, must outlive the lane. */
struct lane *lane_new(struct conn *conn, const struct lane_context *context,
		      const struct lane_events *events, void *data);

/*
 * Sends its settings now, which else go with its first look: the server could end a connection that is asked nothing by
 * a timeout of its own. Call it once, not while the lane is busy; a task may be given right after it. `hears`: it also
 * asks a slave what that hears of its master.
 */
void lane_settle(struct lane *lane, bool hears);

/*
 * Asks a slave what it hears of its master. A task that is given meanwhile begins after the answer. False: it is not
 * asked, as other questions are under way, its settings were not sent, or it has refused that. Not while it is busy.
 */
bool lane_hear(struct lane *lane);

/* Begins a task. Not while it is busy. */
void lane_do(struct lane *lane, const struct task *task);
bool lane_is_busy(const struct lane *lane);
int lane_server_version(const struct lane *lane);

/* As conn_is_unacknowledged(). */
bool lane_is_unacknowledged(const struct lane *lane);

/* When it was made, steady ms. */
int64_t lane_made_ms(const struct lane *lane);

/* Replaces the configuration by one with the same is_slave_statement; `master`: the node's name in it. NULL allowed. */
void lane_set_config(struct lane *lane, const struct config *config, const char *master);

/*
 * Closes the connection; the drain reads what the server still answers. No callback comes
 * any more. NULL allowed; clears the pointer.
 */
void lane_free(struct lane **lane);
