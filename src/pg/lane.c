#include "pg/lane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "loop/clock.h"
#include "pg/ear.h"
#include "pg/inquiry.h"
#include "pg/mend.h"

struct lane {
	struct conn *conn;
	struct lane_context context;
	const struct lane_events *events;
	void *data;
	int64_t made_ms;
	struct task task;
	struct findings *found; /* what the answers so far tell; NULL: nothing is under way */
	struct who who;        /* which server answers here */
	bool beating; /* of a look: its beat was sent */
	bool making;  /* the batch of the beat also makes the table, or sets its identity */
	int repeats;    /* how often this task was asked again, MEND_REPEATS at most */
	bool set;       /* this connection was sent its settings */
	bool settling;  /* lane_settle() or lane_hear() is under way; a task waits for it */
	bool checked;   /* a batch with a beat was done over this connection */
	bool row_asked;  /* this look asks for the row */
	bool role_asked; /* this look has asked for the role alone, since role and row together were refused */
};

/* Ends the task. Its findings are the caller's, who gives them back. */
static struct findings *end_task(struct lane *lane)
{
	struct findings *found = lane->found;

	lane->found = NULL;
	lane->task.kind = TASK_NONE;
	return found;
}

static void begin_findings(struct lane *lane)
{
	findings_give(lane->context.pool, &lane->found);
	lane->found = findings_get(lane->context.pool, lane->context.table, &lane->who);
}

/* Tells a look's outcome; the callee may free the lane. */
static void tell_look(struct lane *lane, struct findings *found)
{
	struct findings_pool *pool = lane->context.pool;

	lane->events->looked(lane->data, lane, &found->seen);
	findings_give(pool, &found);
}

static void finish_look(struct lane *lane)
{
	struct findings *found = end_task(lane);

	findings_sum_up(found, lane->beating);
	tell_look(lane, found);
}

static void finish_beat(struct lane *lane)
{
	struct findings_pool *pool = lane->context.pool;
	struct findings *found = end_task(lane);

	lane->events->beaten(lane->data, lane, &found->beat.result);
	findings_give(pool, &found);
}

static void begin_inquiry(struct lane *lane, struct inquiry *inquiry)
{
	inquiry_begin(inquiry, lane->conn, lane->context.config, &lane->task.order);
}

static void send_one(struct lane *lane, enum question question)
{
	struct inquiry inquiry;

	begin_inquiry(lane, &inquiry);
	inquiry_add(&inquiry, question);
	inquiry_send(&inquiry);
}

/* Asks, before a look ends, which server answers; true: a question was sent. Each is sent once at most. */
static bool asks_who(struct lane *lane)
{
	struct inquiry inquiry;

	begin_inquiry(lane, &inquiry);
	inquiry_add_who(&inquiry, &lane->who, lane->found->role);
	if (inquiry.count > 0)
		inquiry_send(&inquiry);
	return inquiry.count > 0;
}

/* Sends a beat. The catalogue is asked first where the table may refuse it: an error is a line in the server's log. */
static void send_beat(struct lane *lane, bool make_table)
{
	struct beat_progress *beat = &lane->found->beat;
	struct inquiry inquiry;
	bool is_sure = lane->context.table->there && lane->context.table->written &&
		       !table_refuses_beats(lane->context.table);

	begin_inquiry(lane, &inquiry);
	if (make_table) {
		if (beat->table_missing)
			inquiry_add(&inquiry, ASK_CREATE);
		inquiry_add(&inquiry, ASK_IDENTITY);
	} else if (!beat->checked && !(lane->checked && is_sure)) {
		inquiry_add_check(&inquiry);
	}
	lane->beating = true;
	lane->making = make_table;
	beat->tried = false;
	observation_clear_beat(&beat->result);
	if (make_table || beat->checked || is_sure)
		inquiry_add(&inquiry, ASK_BEAT);
	inquiry_send(&inquiry);
}

static void send_look(struct lane *lane)
{
	const struct table_known *table = lane->context.table;
	struct findings *found = lane->found;
	struct inquiry inquiry;
	bool was_set = lane->set;

	begin_inquiry(lane, &inquiry);
	if (lane->context.made_for_ms != lane->context.config->query_timeout_ms)
		inquiry_add_limits(&inquiry);
	lane->context.made_for_ms = lane->context.config->query_timeout_ms;
	if (!was_set) {
		inquiry_add_settings(&inquiry);
		inquiry_add_who(&inquiry, &lane->who, OBSERVED_NOTHING);
	}
	lane->set = true;
	lane->role_asked = false;
	lane->row_asked = inquiry_add_look(&inquiry, table, !lane->task.has_order, found->row_ready);
	if (!was_set && !lane->task.has_order && ear_may_ask(lane->context.config, lane->context.table))
		inquiry_add_hearing(&inquiry);
	findings_begin_look(found);
	inquiry_send(&inquiry);
}

static void begin_task(struct lane *lane)
{
	lane->repeats = 0;
	lane->beating = false;
	begin_findings(lane);
	if (lane->task.kind == TASK_LOOK)
		send_look(lane);
	else
		send_beat(lane, false);
}

void lane_do(struct lane *lane, const struct task *task)
{
	lane->task = *task;
	if (!lane->settling)
		begin_task(lane);
}

void lane_settle(struct lane *lane, bool hears)
{
	struct inquiry inquiry;

	begin_inquiry(lane, &inquiry);
	inquiry_add_settings(&inquiry);
	inquiry_add_who(&inquiry, &lane->who, OBSERVED_NOTHING);
	lane->set = true;
	lane->settling = true;
	if (hears && ear_may_ask(lane->context.config, lane->context.table))
		inquiry_add_hearing(&inquiry);
	begin_findings(lane);
	inquiry_send(&inquiry);
}

bool lane_hear(struct lane *lane)
{
	struct inquiry inquiry;

	if (lane->settling || !lane->set || !ear_may_ask(lane->context.config, lane->context.table))
		return false;
	lane->settling = true;
	begin_findings(lane);
	begin_inquiry(lane, &inquiry);
	inquiry_add_hearing(&inquiry);
	inquiry_send(&inquiry);
	return true;
}

static void on_result(void *data, int tag, const PGresult *result)
{
	struct lane *lane = data;
	struct hearing hearing;

	if ((tag == ASK_HEARING || tag == ASK_HEARING_10) && ear_take(lane->context.table, result, &hearing))
		lane->events->heard(lane->data, &hearing);
	question_take(lane->found, tag, result);
}

static void note_not_altered(struct lane *lane)
{
	const struct beat_progress *beat = &lane->found->beat;

	if (table_note_alter(lane->context.table, beat->not_altered && !beat->table_missing, beat->may_not_alter,
			     clock_steady_ms()))
		lane->events->remark(lane->data, LOG_LEVEL_WARNING,
				     "no right to set REPLICA IDENTITY FULL on table heartbeat: logical replication"
				     " cannot carry the beats");
}

/* After a batch with a beat: true when another one had to be sent. */
static bool mend_beat(struct lane *lane)
{
	struct beat_progress *beat = &lane->found->beat;
	const struct mend_terms terms = {
		.repeats = lane->repeats,
		.at_stake = lane->task.at_stake,
		.least_ms = lane->context.config->retry_interval_ms,
		.now_ms = clock_steady_ms(),
	};
	enum mend next;

	if (beat->result.state == BEAT_LOCKED)
		return false;
	note_not_altered(lane);
	lane->checked = true;
	lane->context.table->there = !beat->table_missing;
	lane->context.table->written = beat->result.state == BEAT_WRITTEN;
	next = mend_next(lane->found, &terms);
	if (next == MEND_TABLE || next == MEND_IDENTITY)
		lane->repeats = MEND_REPEATS; /* a table that was mended in vain is not mended again */
	if (next == MEND_AGAIN) {
		lane->repeats++;
		beat->checked = true; /* the catalogue need not be asked again */
	}
	if (next == MEND_IDENTITY) { /* the beat was written, so only the identity is set */
		beat->no_identity = false;
		send_one(lane, ASK_IDENTITY);
	} else if (next != MEND_NOTHING) {
		send_beat(lane, next == MEND_TABLE);
	}
	return next != MEND_NOTHING;
}

/* After a batch with a beat: whether the task is over. */
static bool beat_is_over(struct lane *lane)
{
	const struct beat_progress *beat = &lane->found->beat;

	if (mend_beat(lane))
		return false;
	if (beat->tried)
		table_note_beat(lane->context.table, &beat->result, beat->table_missing, clock_steady_ms());
	return true;
}

/*
 * Ends a look with the error of a statement as its outcome. That is harmless where only the row was refused: the row
 * is then asked for after a pause alone, and the role as ever.
 */
static void fail_look(struct lane *lane, const struct evidence *failure)
{
	struct findings *found = end_task(lane);

	found->seen = evidence_as_look(failure);
	found->seen.harmless = found->role != OBSERVED_NOTHING;
	tell_look(lane, found);
}

/* Whether a slave is still to be asked for its row: it was a master before, or not known to have a table. */
static bool wants_row(const struct lane *lane)
{
	return lane->found->role == OBSERVED_SLAVE && !lane->row_asked &&
	       (lane->task.has_order || (lane->context.table->there && lane->found->row_ready));
}

static void look_done(struct lane *lane)
{
	struct table_known *table = lane->context.table;

	if (lane->found->row_refused && lane->found->role == OBSERVED_NOTHING && !lane->role_asked) {
		lane->role_asked = true;
		send_one(lane, ASK_ROLE);
		return;
	}
	if (lane->found->again && lane->repeats == 0) {
		lane->repeats = 1;
		send_look(lane);
		return;
	}
	if (lane->row_asked && lane->found->role == OBSERVED_SLAVE)
		table_note_row(table, clock_steady_ms());
	if (lane->found->failed) {
		fail_look(lane, &lane->found->failure);
		return;
	}
	if (!lane->beating && asks_who(lane))
		return;
	if (lane->task.has_order && lane->found->role == OBSERVED_MASTER) {
		if (!lane->beating) {
			send_beat(lane, false);
			return;
		}
		if (!beat_is_over(lane))
			return;
	} else if (wants_row(lane)) {
		if (!lane->task.at_stake && table_puts_off_row(table, lane->context.config->retry_interval_ms,
								clock_steady_ms())) {
			fail_look(lane, table_row_failure(table));
			return;
		}
		lane->task.has_order = false;
		send_look(lane);
		return;
	}
	finish_look(lane);
}

/* A connection pool lies between: it is the pool that accepts and refuses, and any server behind it may answer. */
static void note_pool(struct lane *lane)
{
	who_is_pooled(&lane->who);
	if (table_note_pool(lane->context.table))
		lane->events->remark(lane->data, LOG_LEVEL_ERROR,
				     "a connection pool lies between plusmoin and this server (another process answers than the"
				     " one that let us in), and is judged in its place; cure: host and port of the server itself");
}

/* Sends the batch once more: the server could not use one of its prepared statements. */
static void repeat(struct lane *lane)
{
	if (lane->beating || lane->task.kind == TASK_BEAT)
		send_beat(lane, lane->making);
	else if (lane->task.kind == TASK_LOOK && lane->role_asked)
		send_one(lane, ASK_ROLE);
	else if (lane->task.kind == TASK_LOOK)
		send_look(lane);
}

static void on_done(void *data)
{
	struct lane *lane = data;

	if (lane->found->pooled)
		note_pool(lane);
	if (lane->settling) {
		lane->settling = false;
		findings_give(lane->context.pool, &lane->found);
		if (lane->task.kind != TASK_NONE)
			begin_task(lane);
		return;
	}
	if (conn_is_to_repeat(lane->conn)) {
		repeat(lane);
		return;
	}
	switch (lane->task.kind) {
	case TASK_NONE:
		return;
	case TASK_LOOK:
		look_done(lane);
		return;
	case TASK_BEAT:
		if (beat_is_over(lane))
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

struct lane *lane_new(struct conn *conn, const struct lane_context *context,
		      const struct lane_events *events, void *data)
{
	struct lane *lane = mem_zalloc(1, sizeof(*lane));

	lane->conn = conn;
	lane->context = *context;
	lane->events = events;
	lane->data = data;
	lane->made_ms = clock_steady_ms();
	lane->who.known = context->who;
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

bool lane_is_unacknowledged(const struct lane *lane)
{
	return conn_is_unacknowledged(lane->conn);
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
	findings_give(lane->context.pool, &lane->found);
	conn_leave(&lane->conn, lane->context.drain);
	free(lane);
}
