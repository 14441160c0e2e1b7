#include "pg/lane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "loop/clock.h"
#include "pg/mend.h"
#include "pg/hearing.h"


struct lane {
	struct conn *conn;
	struct lane_context context;
	const struct lane_events *events;
	void *data;
	int64_t made_ms;
	struct task task;
	struct findings found; /* by its answers so far */
	struct who who;        /* who answers here */
	bool beating; /* of a look: its beat has been sent */
	int repeats;    /* how often this task was asked again, MEND_REPEATS at most */
	bool set;       /* this connection has its settings, or was sent them */
	bool settling;  /* it is being told them, before any task, or asked by lane_hear(), beside all */
	bool checked;   /* and its table was looked at */
	bool row_asked; /* in this look */
};

static void finish_look(struct lane *lane)
{
	const struct findings *found = &lane->found;
	struct observation seen = {
		.kind = found->role, .row_state = found->row_state, .row = found->row, .origin = lane->who.origin,
	};

	if (lane->beating)
		seen.beat = found->beat.result;
	lane->task.kind = TASK_NONE;
	lane->events->looked(lane->data, lane, &seen);
}

static void finish_beat(struct lane *lane)
{
	struct beat_result result = lane->found.beat.result;

	lane->task.kind = TASK_NONE;
	lane->events->beaten(lane->data, lane, &result);
}

static struct statement ask(const struct lane *lane, enum question question,
			    struct question_words *words)
{
	return question_ask(question, lane->context.config, &lane->task.order, words);
}

static struct statement ask_settings(const struct lane *lane, struct question_words *words)
{
	(void)pinned_younger(PINNED_FOR_US, conn_server_version(lane->conn), conn_backend_pid(lane->conn),
			     &words->pinned);
	return ask(lane, ASK_SETTINGS, words);
}

/* Whether a slave may be asked what it hears of its master: what was refused once is an error in its log each time. */
static bool may_hear(const struct lane *lane)
{
	return lane->context.config->second_opinion && !lane->context.table->deaf;
}

static struct statement ask_hearing(const struct lane *lane)
{
	return ask(lane, conn_server_version(lane->conn) >= PG_SENDERS ? ASK_HEARING : ASK_HEARING_10, NULL);
}

/* Adds the question who answers here, where one is open; how many there are. */
static size_t add_who(struct lane *lane, enum observation_kind role, struct statement *batch, size_t count)
{
	enum who_next next = who_ask(&lane->who, conn_server_version(lane->conn), role);

	if (next != WHO_NOTHING)
		batch[count++] = ask(lane, next == WHO_ASK ? ASK_WHO : ASK_MAY, NULL);
	return count;
}

/* Before a look ends: true when a question had to be sent. Each is put once at most. */
static bool asks_who(struct lane *lane)
{
	struct statement statement;

	if (add_who(lane, lane->found.role, &statement, 0) == 0)
		return false;
	conn_send(lane->conn, &statement, 1);
	return true;
}

/* What may not be there, not be fit or refuse us is looked at first: an error is a line in the server's log. */
static void send_beat(struct lane *lane, bool make_table)
{
	struct question_words words;
	struct statement batch[6];
	bool is_sure = lane->context.table->there && lane->context.table->written &&
		       !pause_is_set(&lane->context.table->refused.pause);
	size_t count = 0;

	if (make_table) {
		if (lane->found.beat.table_missing)
			batch[count++] = ask(lane, ASK_CREATE, &words);
		batch[count++] = ask(lane, ASK_IDENTITY, &words);
	} else if (!lane->found.beat.checked && !(lane->checked && is_sure)) {
		batch[count++] = ask(lane, conn_server_version(lane->conn) >= PG_SCHEMA_PUBLICATIONS
						   ? ASK_CHECK_15 : ASK_CHECK, &words);
	}
	lane->beating = true;
	lane->found.beat.tried = false;
	lane->found.beat.result = (struct beat_result){ .state = BEAT_NONE };
	if (make_table || lane->found.beat.checked || is_sure)
		batch[count++] = ask(lane, ASK_BEAT, &words);
	conn_send(lane->conn, batch, count);
}

/* The beat was written: the identity alone. */
static void send_identity(struct lane *lane)
{
	struct statement identity = ask(lane, ASK_IDENTITY, NULL);

	lane->found.beat.no_identity = false;
	conn_send(lane->conn, &identity, 1);
}

static void send_look(struct lane *lane)
{
	const struct table_known *table = lane->context.table;
	struct findings *found = &lane->found;
	struct question_words words;
	struct statement settings = ask_settings(lane, &words);
	struct statement batch[6];
	bool hears = !lane->set && !lane->task.has_order && may_hear(lane);
	size_t count = 0;

	if (lane->context.made_for_ms != lane->context.config->query_timeout_ms)
		batch[count++] = ask(lane, ASK_LIMITS, &words);
	lane->context.made_for_ms = lane->context.config->query_timeout_ms;
	if (!lane->set) {
		batch[count++] = settings;
		count = add_who(lane, OBSERVED_NOTHING, batch, count);
	}
	lane->set = true;
	batch[count++] = ask(lane, ASK_ROLE, &words);
	lane->row_asked = !lane->task.has_order && table->there &&
			  (!table->row_failed || found->row_ready);
	if (!lane->task.has_order)
		batch[count++] = ask(lane, lane->row_asked ? ASK_ROW :
					   table->row_failed ? ASK_READABLE : ASK_THERE, &words);
	if (hears)
		batch[count++] = ask_hearing(lane);
	found->role = OBSERVED_NOTHING;
	found->row_state = ROW_NONE;
	found->row = (struct row){ 0 };
	found->failed = false;
	found->again = false;
	conn_send(lane->conn, batch, count);
}

static void begin_task(struct lane *lane)
{
	lane->repeats = 0;
	lane->beating = false;
	lane->found = (struct findings){ .table = lane->context.table, .who = &lane->who };
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
	struct question_words words;
	struct statement batch[3];
	size_t count = 0;

	batch[count++] = ask_settings(lane, &words);
	count = add_who(lane, OBSERVED_NOTHING, batch, count);
	lane->set = true;
	lane->settling = true;
	if (hears && may_hear(lane))
		batch[count++] = ask_hearing(lane);
	lane->found = (struct findings){ .table = lane->context.table, .who = &lane->who };
	conn_send(lane->conn, batch, count);
}

bool lane_hear(struct lane *lane)
{
	struct statement hearing;

	if (lane->settling || !lane->set || !may_hear(lane))
		return false;
	hearing = ask_hearing(lane);
	lane->settling = true;
	conn_send(lane->conn, &hearing, 1);
	return true;
}

static void take_hearing(struct lane *lane, const PGresult *result)
{
	struct hearing hearing;

	if (hearing_read(result, &hearing))
		lane->events->heard(lane->data, &hearing);
	else if (strncmp(result_sqlstate(result), "42", 2) == 0)
		lane->context.table->deaf = true;
}

static void on_result(void *data, int tag, const PGresult *result)
{
	struct lane *lane = data;

	if (tag == ASK_HEARING || tag == ASK_HEARING_10)
		take_hearing(lane, result);
	question_take(&lane->found, tag, result);
}

/* What the log is told of, and what is tried again after a pause. */
static void note_not_altered(struct lane *lane)
{
	struct table_known *table = lane->context.table;

	if (lane->found.beat.not_altered && !lane->found.beat.table_missing)
		pause_hear(&table->alter_pause, REASON_TABLE, "", clock_steady_ms());
	if (!lane->found.beat.may_not_alter || table->remarked)
		return;
	table->remarked = true;
	lane->events->remark(lane->data, LOG_LEVEL_WARNING, "no right to set REPLICA IDENTITY FULL on table heartbeat:"
					 " logical replication cannot carry the beats");
}

/* After a batch with a beat: true when another one had to be sent. */
static bool mend_beat(struct lane *lane)
{
	struct beat_progress *beat = &lane->found.beat;
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
	next = mend_next(&lane->found, &terms);
	if (next == MEND_TABLE || next == MEND_IDENTITY)
		lane->repeats = MEND_REPEATS; /* a table that was mended in vain is not mended again */
	if (next == MEND_AGAIN) {
		lane->repeats++;
		beat->checked = true; /* no need to */
	}
	if (next == MEND_IDENTITY)
		send_identity(lane);
	else if (next != MEND_NOTHING)
		send_beat(lane, next == MEND_TABLE);
	return next != MEND_NOTHING;
}

/* After a batch with a beat: whether the task is over. */
static bool beat_is_over(struct lane *lane)
{
	const struct beat_progress *beat = &lane->found.beat;

	if (mend_beat(lane))
		return false;
	if (beat->tried)
		table_note_beat(lane->context.table, &beat->result, beat->table_missing, clock_steady_ms());
	return true;
}

/*
 * What a statement's error tells in place of a look's outcome. Where only the row was refused the role may be
 * asked for as ever.
 */
static void fail_look(struct lane *lane, const struct evidence *failure)
{
	struct observation seen = evidence_as_look(failure);

	seen.harmless = lane->found.role != OBSERVED_NOTHING;
	lane->task.kind = TASK_NONE;
	lane->events->looked(lane->data, lane, &seen);
}

/* A slave that was not asked for its row: it was a master, or it was not known whether it has a table. */
static bool wants_row(const struct lane *lane)
{
	return lane->found.role == OBSERVED_SLAVE && !lane->row_asked &&
	       (lane->task.has_order || (lane->context.table->there && lane->found.row_ready));
}

static void look_done(struct lane *lane)
{
	struct table_known *table = lane->context.table;

	if (lane->found.again && lane->repeats == 0) {
		lane->repeats = 1;
		send_look(lane);
		return;
	}
	if (lane->row_asked && lane->found.role == OBSERVED_SLAVE)
		table_note_row(table, clock_steady_ms());
	if (lane->found.failed) {
		fail_look(lane, &lane->found.failure);
		return;
	}
	if (!lane->beating && asks_who(lane))
		return;
	if (lane->task.has_order && lane->found.role == OBSERVED_MASTER) {
		if (!lane->beating) {
			send_beat(lane, false);
			return;
		}
		if (!beat_is_over(lane))
			return;
	} else if (wants_row(lane)) {
		if (!lane->task.at_stake && table_puts_off_row(table, lane->context.config->retry_interval_ms,
								clock_steady_ms())) {
			fail_look(lane, &table->row_failure);
			return;
		}
		lane->task.has_order = false;
		send_look(lane);
		return;
	}
	finish_look(lane);
}

/* Who asks through a pool sees the pool: its doors, its patience, and any of the servers behind it. Said once a node. */
static void tell_pool(struct lane *lane)
{
	if (!lane->found.pooled)
		return;
	who_is_pooled(&lane->who);
	if (lane->context.table->pool_told)
		return;
	lane->context.table->pool_told = true;
	lane->events->remark(lane->data, LOG_LEVEL_ERROR,
			     "a connection pool lies between plusmoin and this server (another process answers than"
			     " let us in), and is judged in its place; cure: host and port of the server itself");
}

static void on_done(void *data)
{
	struct lane *lane = data;

	tell_pool(lane);
	if (lane->settling) {
		lane->settling = false;
		if (lane->task.kind != TASK_NONE)
			begin_task(lane);
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
	conn_leave(&lane->conn, lane->context.drain);
	free(lane);
}
