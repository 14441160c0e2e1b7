#include "pg/lane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "loop/clock.h"
#include "pg/beat.h"

#define PG_IDLE_SESSION_TIMEOUT 140000
#define TASK_REPEATS 2

struct lane {
	struct conn *conn;
	struct lane_context context;
	const struct lane_events *events;
	void *data;
	int64_t made_ms;
	struct task task;
	struct observation seen;
	struct beat_progress beat;
	bool beating; /* of a look: its beat has been sent */
	struct evidence failure; /* of a statement: ends the look when the batch is done */
	bool failed;
	bool again;     /* a transient error: ask once more */
	int repeats;    /* how often this task was asked again, TASK_REPEATS at most */
	bool set;       /* this connection has its settings */
	bool checked;   /* and its table was looked at */
	bool row_asked; /* in this look */
	bool row_ready; /* in this task the catalogue said that the row may be read */
};

static void finish_look(struct lane *lane)
{
	struct observation seen = lane->seen;

	lane->task.kind = TASK_NONE;
	lane->events->looked(lane->data, lane, &seen);
}

static void finish_beat(struct lane *lane)
{
	struct beat_result result = lane->beat.result;

	lane->task.kind = TASK_NONE;
	lane->events->beaten(lane->data, lane, &result);
}

/* What may not be there, not be fit or refuse us is looked at first: an error is a line in the server's log. */
static void send_beat(struct lane *lane, bool make_table)
{
	struct statement batch[6];
	struct beat_numbers numbers = { 0 };
	bool is_sure = lane->context.table->there && lane->context.table->written;
	size_t count = 0;

	if (make_table) {
		if (lane->beat.table_missing)
			batch[count++] = step_create();
		batch[count++] = step_identity();
	} else if (!lane->beat.checked && !(lane->checked && is_sure)) {
		batch[count++] = step_check();
	}
	lane->beating = true;
	lane->beat.tried = false;
	lane->beat.result = (struct beat_result){ .state = BEAT_NONE };
	if (make_table || lane->beat.checked || is_sure)
		batch[count++] = step_beat(&lane->task.order, &numbers);
	conn_send(lane->conn, batch, count);
}

static void send_look(struct lane *lane)
{
	struct limits limits = limits_of(lane->context.config);
	struct statement batch[4];
	size_t count = 0;

	if (lane->context.made_for_ms != lane->context.config->query_timeout_ms)
		batch[count++] = step_limits(&limits);
	lane->context.made_for_ms = lane->context.config->query_timeout_ms;
	if (!lane->set && conn_server_version(lane->conn) >= PG_IDLE_SESSION_TIMEOUT)
		batch[count++] = step_set();
	lane->set = true;
	batch[count++] = step_role(lane->context.config->is_slave_statement);
	lane->row_asked = !lane->task.has_order && lane->context.table->there &&
			  (!lane->context.table->row_failed || lane->row_ready);
	if (!lane->task.has_order)
		batch[count++] = lane->row_asked ? step_row() : step_there(lane->context.table->row_failed);
	lane->seen = (struct observation){ .kind = OBSERVED_NOTHING };
	lane->failed = false;
	lane->again = false;
	conn_send(lane->conn, batch, count);
}

void lane_do(struct lane *lane, const struct task *task)
{
	lane->task = *task;
	lane->repeats = 0;
	lane->row_ready = false;
	lane->beating = false;
	lane->beat = (struct beat_progress){ 0 };
	if (task->kind == TASK_LOOK)
		send_look(lane);
	else
		send_beat(lane, false);
}

/* `of_table`: it was about the beats' table. */
static void statement_failed(struct lane *lane, const PGresult *result, const char *what,
			     bool of_table)
{
	lane->failed = true;
	lane->failure = (struct evidence){
		.reason = evidence_of_sqlstate(result_sqlstate(result), of_table),
	};
	if (what != NULL)
		text_copy(lane->failure.message, MESSAGE_BYTES, what);
	else
		result_words(result, lane->failure.message, MESSAGE_BYTES);
	if (sqlstate_is_transient(result_sqlstate(result)))
		lane->again = true;
}

static void take_role(struct lane *lane, const PGresult *result)
{
	bool is_slave = false;

	if (!result_is_ok(result))
		statement_failed(lane, result, NULL, false);
	else if (!role_take(result, &is_slave))
		statement_failed(lane, result,
				 "is_slave_statement must return one row with one boolean column",
				 false);
	else
		lane->seen.kind = is_slave ? OBSERVED_SLAVE : OBSERVED_MASTER;
}

static void take_row(struct lane *lane, const PGresult *result)
{
	const char *sqlstate = result_sqlstate(result);
	struct lane_table *table = lane->context.table;

	if (lane->seen.kind == OBSERVED_MASTER)
		return; /* a master's row is read by its beat */
	table->there = strcmp(sqlstate, "42P01") != 0;
	table->row_failed = table->there && !result_is_ok(result);
	table->row_failure = (struct evidence){ 0 };
	if (result_is_ok(result)) {
		lane->seen.row_state = row_take(result, &lane->seen.row);
	} else if (!table->there) {
		lane->seen.row_state = ROW_NONE;
	} else if (sqlstate_is_locked(sqlstate)) {
		lane->seen.row_state = ROW_LOCKED;
	} else {
		statement_failed(lane, result, NULL, true);
		table->row_failure = lane->failure;
	}
}

/* The catalogue's word of the table; where its row may not be asked for, that is the look's outcome. */
static void take_there(struct lane *lane, const PGresult *result)
{
	struct lane_table *table = lane->context.table;
	enum table_state state = there_take(result);

	table->there = state != TABLE_NONE;
	if (state == TABLE_NONE)
		table->row_failed = false;
	if (state == TABLE_NONE || state == TABLE_LOCKED)
		table->row_failure.reason = REASON_NONE;
	lane->row_ready = state == TABLE_READY;
	if (lane->seen.kind != OBSERVED_SLAVE)
		return;
	if (state == TABLE_LOCKED)
		lane->seen.row_state = ROW_LOCKED;
	if (state != TABLE_SHUT)
		return;
	if (table->row_failure.reason != REASON_TABLE) {
		table->row_failure.reason = REASON_TABLE;
		text_copy(table->row_failure.message, MESSAGE_BYTES,
			  "table heartbeat cannot be read: its columns master and tstamp are missing, or"
			  " there is no right to SELECT them");
	}
	lane->failed = true;
	lane->failure = table->row_failure;
}

static void on_result(void *data, int tag, const PGresult *result)
{
	struct lane *lane = data;

	if (tag == STEP_ROLE)
		take_role(lane, result);
	else if (tag == STEP_THERE)
		take_there(lane, result);
	else if (tag == STEP_ROW)
		take_row(lane, result);
	else if (tag != STEP_SET)
		beat_take(&lane->beat, tag, result);
}

/*
 * After a batch with a beat: true when another one had to be sent. What meets a lock is not
 * mended now: that would wait, too.
 */
static bool mend_beat(struct lane *lane)
{
	bool written = lane->beat.result.state == BEAT_WRITTEN;

	if (lane->beat.result.state == BEAT_LOCKED)
		return false;
	if (lane->beat.may_not_alter && !lane->context.table->remarked) {
		lane->context.table->remarked = true;
		lane->events->remark(lane->data,
				     "no right to set REPLICA IDENTITY FULL on table heartbeat:"
				     " logical replication cannot carry the beats");
	}
	lane->checked = true;
	lane->context.table->there = !lane->beat.table_missing;
	lane->context.table->written = written;
	if (lane->repeats >= TASK_REPEATS || lane->beat.may_not)
		return false;
	if (lane->beat.table_missing || (lane->beat.no_identity && !lane->context.table->remarked)) {
		lane->repeats = TASK_REPEATS; /* a table that was mended in vain is not mended again */
		if (written) {
			struct beat_progress kept = lane->beat;

			kept.no_identity = false;
			lane->beat = kept;
			conn_send(lane->conn, &(struct statement){ .tag = STEP_IDENTITY,
					.sql = step_identity().sql }, 1);
		} else {
			send_beat(lane, true);
		}
		return true;
	}
	if (!lane->beat.tried) {
		send_beat(lane, false);
		return true;
	}
	if (lane->beat.transient && !written) {
		lane->repeats++;
		lane->beat.checked = true; /* no need to */
		send_beat(lane, false);
		return true;
	}
	return false;
}

/* What a statement's error tells in place of a look's outcome. */
static void fail_look(struct lane *lane)
{
	lane->seen = evidence_as_look(&lane->failure);
	finish_look(lane);
}

/* A slave that was not asked for its row: it was a master, or it was not known whether it has a table. */
static bool wants_row(const struct lane *lane)
{
	return lane->seen.kind == OBSERVED_SLAVE && !lane->row_asked &&
	       (lane->task.has_order || (lane->context.table->there && lane->row_ready));
}

static void look_done(struct lane *lane)
{
	if (lane->again && lane->repeats == 0) {
		lane->repeats = 1;
		send_look(lane);
		return;
	}
	if (lane->failed) {
		fail_look(lane);
		return;
	}
	if (lane->task.has_order && lane->seen.kind == OBSERVED_MASTER) {
		if (!lane->beating) {
			send_beat(lane, false);
			return;
		}
		if (mend_beat(lane))
			return;
		lane->seen.beat = lane->beat.result;
	} else if (wants_row(lane)) {
		lane->task.has_order = false;
		send_look(lane);
		return;
	}
	finish_look(lane);
}

static void on_done(void *data)
{
	struct lane *lane = data;

	switch (lane->task.kind) {
	case TASK_NONE:
		return;
	case TASK_LOOK:
		look_done(lane);
		return;
	case TASK_BEAT:
		if (!mend_beat(lane))
			finish_beat(lane);
		return;
	}
}

static void on_failed(void *data, const struct evidence *evidence)
{
	struct lane *lane = data;

	lane->events->broke(lane->data, lane, evidence);
}

static const struct conn_events lane_conn_events = {
	.failed = on_failed,
	.result = on_result,
	.done = on_done,
};

void lane_options(const struct config *config, char out[LANE_OPTIONS])
{
	struct limits limits = limits_of(config);

	(void)snprintf(out, LANE_OPTIONS,
		       "-c synchronous_commit=local -c lock_timeout=%s -c statement_timeout=%s",
		       limits.lock, limits.statement);
}

struct lane *lane_new(struct conn *conn, const struct lane_context *context,
		      const struct lane_events *events, void *data)
{
	struct lane *lane = mem_zalloc(1, sizeof(*lane));

	lane->conn = conn;
	lane->context = *context;
	lane->events = events;
	lane->data = data;
	lane->made_ms = clock_steady_ms();
	conn_listen(conn, &lane_conn_events, lane);
	return lane;
}

bool lane_is_busy(const struct lane *lane)
{
	return lane->task.kind != TASK_NONE;
}

int lane_server_version(const struct lane *lane)
{
	return conn_server_version(lane->conn);
}

int64_t lane_made_ms(const struct lane *lane)
{
	return lane->made_ms;
}

void lane_set_config(struct lane *lane, const struct config *config, const char *master)
{
	if (lane == NULL)
		return;
	lane->context.config = config;
	lane->task.order.master = master;
}

void lane_free(struct lane **lane_p)
{
	struct lane *lane = *lane_p;

	*lane_p = NULL;
	if (lane == NULL)
		return;
	conn_leave(&lane->conn, lane->context.drain);
	free(lane);
}
