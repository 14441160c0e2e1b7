#include "io/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "io/beat.h"
#include "io/clock.h"
#include "io/dial.h"
#include "io/timer.h"

#define SHORT_LIFE_MS 1000    /* cluster-rules.md, "Rounds": breaks within 1 s of being made */
#define FIRST_RECONNECT_MS 100
#define PG_IDLE_SESSION_TIMEOUT 140000

enum task { TASK_NONE, TASK_LOOK, TASK_BEAT };

struct probe {
	struct probe_context context;
	const struct config *config;
	const struct config_node *node;
	struct probe_events events;
	void *data;
	char options[160];
	char last_good[INET6_ADDRSTRLEN + 1];
	struct conn *conn;
	struct dial *dial;
	bool dial_counts; /* a failure of this dial is an observation by itself */
	struct timer *deadline;
	struct timer *reconnect;
	enum task task;
	bool has_order;
	struct beat_order order;
	struct observation seen;
	struct beat_progress beat;
	struct evidence failure; /* of a statement: ends the look when the batch is done */
	bool failed;
	bool again;     /* a transient error: ask once more */
	int repeats;    /* how often this task was asked again */
	bool going;     /* a word of going since the last answer */
	bool prepared;  /* this connection had its settings and its table looked at */
	bool remarked;  /* "no right to ..." was said */
	int64_t made_ms;
	int short_lives;
};

static void start_dial(struct probe *probe, bool counts);
static void on_result(void *data, int tag, const PGresult *result);
static void on_done(void *data);
static void on_broken(void *data, const struct evidence *evidence);

static const struct conn_events probe_conn_events = {
	.failed = on_broken,
	.result = on_result,
	.done = on_done,
};

static void finish_look(struct probe *probe)
{
	struct observation seen = probe->seen;

	timer_stop(probe->deadline);
	probe->task = TASK_NONE;
	if (seen.kind != OBSERVED_FAILURE)
		probe->going = false;
	seen.going = probe->going;
	seen.server_version = probe->conn != NULL ? conn_server_version(probe->conn) : 0;
	probe->events.seen(probe->data, &seen);
}

static void finish_beat(struct probe *probe)
{
	struct beat_result result = probe->beat.result;

	timer_stop(probe->deadline);
	probe->task = TASK_NONE;
	probe->events.beaten(probe->data, &result);
}

/* The task fails: nothing was learned of the node but this. */
static void fail_task(struct probe *probe, const struct evidence *evidence)
{
	if (evidence->going)
		probe->going = true;
	if (probe->task == TASK_BEAT) {
		probe->beat.result = (struct beat_result){
			.state = evidence->own_fault ? BEAT_NONE : BEAT_FAILED,
			.reason = evidence->reason,
		};
		text_copy(probe->beat.result.message, MESSAGE_BYTES, evidence->message);
		finish_beat(probe);
		return;
	}
	probe->seen = (struct observation){
		.kind = evidence->own_fault ? OBSERVED_NOTHING : OBSERVED_FAILURE,
		.reason = evidence->reason,
	};
	text_copy(probe->seen.message, MESSAGE_BYTES, evidence->message);
	finish_look(probe);
}

static void send_beat(struct probe *probe, bool make_table)
{
	struct statement batch[6];
	struct beat_numbers numbers = { 0 };
	size_t count = 0;

	if (make_table) {
		if (probe->beat.table_missing)
			batch[count++] = step_create();
		batch[count++] = step_identity();
	} else if (!probe->prepared) {
		batch[count++] = step_check();
	}
	probe->beat.result = (struct beat_result){ .state = BEAT_NONE };
	batch[count++] = step_beat(&probe->order, &numbers);
	conn_send(probe->conn, batch, count);
}

static void send_look(struct probe *probe)
{
	struct statement batch[3];
	size_t count = 0;

	if (!probe->prepared && conn_server_version(probe->conn) >= PG_IDLE_SESSION_TIMEOUT)
		batch[count++] = step_set();
	batch[count++] = step_role(probe->config->is_slave_statement);
	if (!probe->has_order)
		batch[count++] = step_row();
	probe->seen = (struct observation){ .kind = OBSERVED_NOTHING };
	probe->failed = false;
	probe->again = false;
	conn_send(probe->conn, batch, count);
}

static void send_task(struct probe *probe)
{
	probe->beat = (struct beat_progress){ 0 };
	if (probe->task == TASK_LOOK)
		send_look(probe);
	else
		send_beat(probe, false);
}

static void statement_failed(struct probe *probe, const PGresult *result, const char *what)
{
	probe->failed = true;
	probe->failure = (struct evidence){
		.reason = evidence_of_sqlstate(result_sqlstate(result), false),
	};
	if (what != NULL)
		text_copy(probe->failure.message, MESSAGE_BYTES, what);
	else
		result_words(result, probe->failure.message, MESSAGE_BYTES);
	if (sqlstate_is_transient(result_sqlstate(result)))
		probe->again = true;
}

static void take_role(struct probe *probe, const PGresult *result)
{
	bool is_slave = false;

	if (!result_is_ok(result))
		statement_failed(probe, result, NULL);
	else if (!role_take(result, &is_slave))
		statement_failed(probe, result,
				 "is_slave_statement must return one row with one boolean column");
	else
		probe->seen.kind = is_slave ? OBSERVED_SLAVE : OBSERVED_MASTER;
}

static void take_row(struct probe *probe, const PGresult *result)
{
	const char *sqlstate = result_sqlstate(result);

	if (probe->seen.kind == OBSERVED_MASTER)
		return; /* a master's row is read by its beat */
	if (result_is_ok(result))
		probe->seen.row_state = row_take(result, &probe->seen.row);
	else if (strcmp(sqlstate, "42P01") == 0)
		probe->seen.row_state = ROW_NONE;
	else if (sqlstate_is_locked(sqlstate))
		probe->seen.row_state = ROW_LOCKED;
	else
		statement_failed(probe, result, NULL);
}

static void on_result(void *data, int tag, const PGresult *result)
{
	struct probe *probe = data;

	if (tag == STEP_ROLE)
		take_role(probe, result);
	else if (tag == STEP_ROW)
		take_row(probe, result);
	else if (tag != STEP_SET)
		beat_take(&probe->beat, tag, result);
}

/* After a batch with a beat: true when another one had to be sent. */
static bool mend_beat(struct probe *probe)
{
	bool written = probe->beat.result.state == BEAT_WRITTEN;

	if (probe->beat.may_not_alter && !probe->remarked) {
		probe->remarked = true;
		probe->events.remark(probe->data,
				     "no right to set REPLICA IDENTITY FULL on table heartbeat:"
				     " logical replication cannot carry the beats");
	}
	probe->prepared = true;
	if (probe->repeats >= 2)
		return false;
	if (probe->beat.table_missing || (probe->beat.no_identity && !probe->remarked)) {
		probe->repeats = 2;
		if (written) {
			struct beat_progress kept = probe->beat;

			kept.no_identity = false;
			probe->beat = kept;
			conn_send(probe->conn, &(struct statement){ .tag = STEP_IDENTITY,
					.sql = step_identity().sql }, 1);
		} else {
			send_beat(probe, true);
		}
		return true;
	}
	if (probe->beat.transient && !written) {
		probe->repeats++;
		send_beat(probe, false);
		return true;
	}
	return false;
}

static void look_done(struct probe *probe)
{
	if (probe->again && probe->repeats == 0) {
		probe->repeats = 1;
		send_look(probe);
		return;
	}
	if (probe->failed) {
		fail_task(probe, &probe->failure);
		return;
	}
	if (probe->has_order && probe->seen.kind == OBSERVED_MASTER) {
		if (probe->beat.result.state == BEAT_NONE) {
			send_beat(probe, false);
			return;
		}
		if (mend_beat(probe))
			return;
		probe->seen.beat = probe->beat.result;
	} else if (probe->has_order && probe->seen.kind == OBSERVED_SLAVE) {
		probe->has_order = false; /* demoted: ask for its row as well */
		send_look(probe);
		return;
	}
	finish_look(probe);
}

static void on_done(void *data)
{
	struct probe *probe = data;

	switch (probe->task) {
	case TASK_NONE:
		return;
	case TASK_LOOK:
		look_done(probe);
		return;
	case TASK_BEAT:
		if (!mend_beat(probe))
			finish_beat(probe);
		return;
	}
}

/* A connection broke early for the second time in a row: no look, but a slow reconnect. */
static bool lives_too_short(struct probe *probe)
{
	bool brief = clock_steady_ms() - probe->made_ms < SHORT_LIFE_MS;
	int64_t wait_ms = FIRST_RECONNECT_MS;

	probe->short_lives = brief ? probe->short_lives + 1 : 0;
	if (probe->short_lives < 2)
		return false;
	for (int i = 2; i < probe->short_lives && wait_ms < probe->config->retry_interval_ms; i++)
		wait_ms *= 2;
	if (wait_ms > probe->config->retry_interval_ms)
		wait_ms = probe->config->retry_interval_ms;
	timer_start(probe->reconnect, wait_ms);
	return true;
}

static void on_broken(void *data, const struct evidence *evidence)
{
	struct probe *probe = data;
	bool brief;

	conn_close(&probe->conn);
	if (evidence->going)
		probe->going = true;
	brief = lives_too_short(probe);
	if (probe->task == TASK_NONE) {
		if (!brief)
			probe->events.broke(probe->data);
		return;
	}
	timer_stop(probe->reconnect);
	if (probe->repeats++ > 0) {
		fail_task(probe, evidence);
		return;
	}
	start_dial(probe, false);
}

static void on_dialed(void *data, struct conn *conn, const struct evidence *evidence)
{
	struct probe *probe = data;
	bool counts = probe->dial_counts;

	probe->dial = NULL;
	if (conn == NULL) {
		if (probe->task == TASK_NONE && counts)
			probe->task = TASK_LOOK;
		if (probe->task != TASK_NONE)
			fail_task(probe, evidence);
		else if (evidence->going)
			probe->going = true;
		return;
	}
	conn_listen(conn, &probe_conn_events, probe);
	probe->conn = conn;
	probe->made_ms = clock_steady_ms();
	probe->prepared = false;
	if (probe->task != TASK_NONE)
		send_task(probe);
	else
		probe->events.connected(probe->data);
}

static void start_dial(struct probe *probe, bool counts)
{
	struct dial_target target = {
		.node = probe->node,
		.options = probe->options,
		.timeout_ms = probe->config->connect_timeout_ms,
		.last_good = probe->last_good,
	};

	timer_stop(probe->reconnect);
	probe->dial_counts = counts;
	probe->dial = dial_start(probe->context.loop, probe->context.resolver,
				 probe->context.stalls, &target, on_dialed, probe);
}

static void on_reconnect(void *data)
{
	struct probe *probe = data;

	if (probe->conn == NULL && probe->dial == NULL)
		start_dial(probe, true);
}

static void on_deadline(void *data)
{
	struct probe *probe = data;
	struct evidence evidence = { .reason = REASON_TIMEOUT };
	char *text = mem_printf("no answer within query_timeout (%.3f s)%s",
				(double)probe->config->query_timeout_ms / 1000.0,
				probe->conn != NULL ? "" : ", still connecting");

	text_copy(evidence.message, sizeof(evidence.message), text);
	free(text);
	if (probe->conn != NULL) {
		evidence.reason = REASON_HUNG;
		conn_close(&probe->conn);
	}
	fail_task(probe, &evidence);
}

static void start_task(struct probe *probe, enum task task, const struct beat_order *order)
{
	probe->task = task;
	probe->repeats = 0;
	probe->has_order = order != NULL;
	if (order != NULL)
		probe->order = *order;
	timer_start(probe->deadline, probe->config->query_timeout_ms);
	if (probe->conn != NULL)
		send_task(probe);
	else if (probe->dial == NULL)
		start_dial(probe, false);
}

void probe_look(struct probe *probe, const struct beat_order *order)
{
	start_task(probe, TASK_LOOK, order);
}

void probe_beat(struct probe *probe, const struct beat_order *order)
{
	start_task(probe, TASK_BEAT, order);
}

bool probe_is_busy(const struct probe *probe)
{
	return probe->task != TASK_NONE;
}

struct probe *probe_new(const struct probe_context *context, const struct config *config,
			const struct config_node *node, const struct probe *before,
			const struct probe_events *events, void *data)
{
	struct probe *probe = mem_zalloc(1, sizeof(*probe));
	int64_t lock_ms = config->query_timeout_ms / 2;
	int64_t statement_ms = config->query_timeout_ms * 3 / 4;

	probe->context = *context;
	probe->config = config;
	probe->node = node;
	probe->events = *events;
	probe->data = data;
	probe->going = before != NULL && before->going;
	(void)snprintf(probe->options, sizeof(probe->options),
		       "-c synchronous_commit=local -c lock_timeout=%lld -c statement_timeout=%lld",
		       (long long)(lock_ms > 0 ? lock_ms : 1),
		       (long long)(statement_ms > 0 ? statement_ms : 1));
	probe->deadline = timer_new(context->loop, context->stalls, on_deadline, probe);
	probe->reconnect = timer_new(context->loop, NULL, on_reconnect, probe);
	return probe;
}

void probe_set_config(struct probe *probe, const struct config *config,
		      const struct config_node *node)
{
	probe->config = config;
	probe->node = node;
	probe->order.master = node->id;
	if (probe->dial != NULL)
		dial_set_node(probe->dial, node);
}

void probe_free(struct probe **probe_p)
{
	struct probe *probe = *probe_p;

	*probe_p = NULL;
	if (probe == NULL)
		return;
	dial_cancel(&probe->dial);
	conn_close(&probe->conn);
	timer_free(&probe->deadline);
	timer_free(&probe->reconnect);
	free(probe);
}
