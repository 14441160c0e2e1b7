#include "pg/probe.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "loop/clock.h"
#include "loop/timer.h"
#include "pg/dial.h"
#include "pg/lane.h"
#include "pg/last_word.h"
#include "pg/lives.h"
#include "pg/unanswered.h"

struct probe {
	struct probe_context context;
	const struct config *config;
	const struct config_node *node;
	struct probe_events events;
	void *data;
	char last_good[INET6_ADDRSTRLEN + 1];
	struct lane *kept;
	struct lane *fresh; /* a newer one, while a task is under way over the kept one */
	struct dial *dial;
	bool dial_counts; /* a failure of this dial is an observation by itself */
	struct deadline deadline;
	struct deadline silence; /* half of the deadline: the kept connection gets a fresh one beside it */
	struct timer *reconnect;
	struct task task;
	bool silent; /* the kept connection has not answered for half of the task's time */
	int breaks;  /* how many connections broke in this task */
	struct shut_door *door;    /* the last fresh connection failed while the kept one stood; NULL: it did not */
	bool door_met;             /* a fresh connection failed so in this task */
	struct word word;          /* the server's last word (last_word.h) */
	struct lane_context terms; /* for the lane that the dial under way becomes */
	struct table_known table;
	struct who_known who;
	int64_t asked_ms;          /* steady: when the task began */
	int64_t kept_ended_ms;     /* steady; INT64_MIN: none has */
	struct lives lives;        /* counts kept connections that break soon */
};

static void start_dial(struct probe *probe, bool counts);

static void on_reconnect(void *data)
{
	struct probe *probe = data;

	if (probe->kept == NULL && probe->dial == NULL)
		start_dial(probe, true);
	else if (probe->kept == NULL)
		probe->dial_counts = true;
}

/* Ends the kept connection, also one that has broken. */
static void end_kept(struct probe *probe)
{
	if (probe->kept == NULL)
		return;
	lane_free(&probe->kept);
	probe->kept_ended_ms = clock_steady_ms();
	evidence_open_door(&probe->door);
}

/* Puts the fresh connection in place of the kept one, which is closed. */
static void replace_kept(struct probe *probe)
{
	lane_free(&probe->kept);
	probe->kept = probe->fresh;
	probe->fresh = NULL;
}

/* Ends the task. A fresh connection that was not asked becomes the kept one; one that was asked in vain is closed. */
static void end_task(struct probe *probe)
{
	deadline_stop(&probe->deadline);
	deadline_stop(&probe->silence);
	probe->silent = false;
	probe->task.kind = TASK_NONE;
	if (probe->fresh == NULL)
		return;
	if (lane_is_busy(probe->fresh))
		lane_free(&probe->fresh);
	else
		replace_kept(probe);
}

static void finish_look(struct probe *probe, struct observation *seen)
{
	end_task(probe);
	seen->asked_ms = probe->asked_ms;
	seen->going = probe->word.going;
	seen->kept = probe->kept != NULL;
	seen->kept_ended_ms = probe->kept_ended_ms;
	seen->server_version = probe->kept != NULL ? lane_server_version(probe->kept) : 0;
	if (probe->door != NULL) /* there is none without a kept connection: end_kept() frees it */
		seen->door = *probe->door;
	probe->events.seen(probe->data, seen);
}

/* Ends the task with this evidence as its outcome: nothing else was learned of the node. */
static void fail_task(struct probe *probe, const struct evidence *evidence)
{
	if (probe->task.kind == TASK_BEAT) {
		struct beat_result beat = evidence_as_beat(evidence);

		end_task(probe);
		probe->events.beaten(probe->data, &beat);
	} else {
		struct observation seen = evidence_as_look(evidence);

		finish_look(probe, &seen);
	}
}

/* A lane has answered, be it that a statement failed. As the first that does it becomes, or stays, the kept one. */
static void lane_answered(struct probe *probe, const struct lane *lane)
{
	word_answered(&probe->word);
	if (lane == probe->fresh)
		replace_kept(probe);
}

static void on_looked(void *data, struct lane *lane, struct observation *seen)
{
	struct probe *probe = data;

	lane_answered(probe, lane);
	finish_look(probe, seen);
}

static void on_beaten(void *data, struct lane *lane, const struct beat_result *result)
{
	struct probe *probe = data;

	lane_answered(probe, lane);
	end_task(probe);
	probe->events.beaten(probe->data, result);
}

static void on_heard(void *data, const struct hearing *hearing)
{
	struct probe *probe = data;

	probe->events.heard(probe->data, hearing);
}

static void on_remark(void *data, enum log_level level, const char *text)
{
	struct probe *probe = data;

	probe->events.remark(probe->data, level, text);
}

static void ask_kept(struct probe *probe)
{
	deadline_start(&probe->silence, probe->config->query_timeout_ms / 2);
	lane_do(probe->kept, &probe->task);
}

static void kept_broke(struct probe *probe, const struct evidence *evidence)
{
	int64_t wait_ms = lives_ended(&probe->lives, clock_steady_ms() - lane_made_ms(probe->kept),
				      probe->config->retry_interval_ms);

	end_kept(probe);
	dial_hurry(probe->dial);
	if (probe->task.kind == TASK_NONE) {
		if (wait_ms > 0)
			timer_set(&probe->reconnect, probe->context.loop, on_reconnect, probe, wait_ms);
		else
			probe->events.broke(probe->data);
		return;
	}
	if (probe->fresh != NULL) {
		replace_kept(probe);
		if (!lane_is_busy(probe->kept))
			ask_kept(probe);
	} else if (probe->breaks++ > 0) {
		fail_task(probe, evidence);
	} else if (probe->dial == NULL) {
		start_dial(probe, false);
	}
}

static void on_broke(void *data, struct lane *lane, const struct evidence *evidence)
{
	struct probe *probe = data;

	word_broke(&probe->word, evidence);
	if (lane == probe->fresh)
		lane_free(&probe->fresh); /* the kept one may answer still */
	else
		kept_broke(probe, evidence);
}

static const struct lane_events probe_lane_events = {
	.looked = on_looked,
	.beaten = on_beaten,
	.broke = on_broke,
	.heard = on_heard,
	.remark = on_remark,
};

/* A fresh connection stands. */
static void take_lane(struct probe *probe, struct lane *lane)
{
	bool had_kept = probe->kept != NULL;

	if (had_kept && probe->task.kind != TASK_NONE) {
		probe->fresh = lane;
		if (probe->silent)
			lane_do(lane, &probe->task);
	} else {
		lane_free(&probe->kept);
		probe->kept = lane;
		if (probe->task.kind != TASK_NONE)
			ask_kept(probe);
	}
	evidence_open_door(&probe->door);
	if (had_kept && !lane_is_busy(lane))
		lane_settle(lane, !probe->task.has_order);
	if (had_kept)
		probe->events.refreshed(probe->data, NULL);
	else if (probe->task.kind == TASK_NONE)
		probe->events.connected(probe->data);
}

/* A fresh connection failed, and the kept one stands. */
static void fail_fresh(struct probe *probe, const struct evidence *evidence)
{
	if (!evidence->own_fault && evidence->going) { /* a smart stop waits for our session */
		end_kept(probe);
		if (probe->task.kind != TASK_NONE)
			fail_task(probe, evidence);
		else
			probe->events.broke(probe->data);
		return;
	}
	if (!evidence->own_fault) {
		evidence_shut_door(evidence, &probe->door);
		probe->door_met = true;
	}
	probe->events.refreshed(probe->data, evidence);
}

/* A connect failed, and no connection is kept. */
static void fail_dial(struct probe *probe, const struct evidence *evidence)
{
	if (probe->task.kind == TASK_NONE && probe->dial_counts)
		probe->task.kind = TASK_LOOK;
	if (probe->task.kind != TASK_NONE)
		fail_task(probe, evidence);
}

static void on_dialed(void *data, struct conn *conn, const struct evidence *evidence)
{
	struct probe *probe = data;
	struct evidence what;

	probe->dial = NULL;
	probe->events.tried(probe->data, probe->kept != NULL, conn != NULL ? NULL : evidence);
	if (conn != NULL) {
		word_connected(&probe->word);
		take_lane(probe, lane_new(conn, &probe->terms, &probe_lane_events, probe));
		return;
	}
	what = word_refused(&probe->word, evidence, probe->kept != NULL);
	if (probe->kept != NULL)
		fail_fresh(probe, &what);
	else
		fail_dial(probe, &what);
}

static void start_dial(struct probe *probe, bool counts)
{
	char options[QUESTION_OPTIONS];
	struct dial_target target = dial_terms(probe->config, probe->kept != NULL, probe->silent);

	target.node = probe->node;
	target.options = options;
	target.drain = probe->context.drain;
	target.last_good = probe->last_good;
	question_options(probe->config, options);
	probe->terms.made_for_ms = probe->config->query_timeout_ms;
	timer_stop(probe->reconnect);
	probe->dial_counts = counts;
	probe->dial = dial_start(probe->context.loop, probe->context.resolver,
				 probe->context.deadlines, &target, on_dialed, probe);
}

/* Asks over a fresh connection, too: the kept one has been silent for half of the time. */
static void mistrust_kept(struct probe *probe)
{
	probe->silent = true;
	if (probe->fresh != NULL && !lane_is_busy(probe->fresh))
		lane_do(probe->fresh, &probe->task);
	else if (probe->fresh == NULL && probe->dial == NULL)
		start_dial(probe, false);
	dial_hurry(probe->dial);
}

static struct unanswered unanswered_by(const struct probe *probe)
{
	static const struct shut_door open; /* a fresh connection failed in this task, then one was made: the host was heard */

	return (struct unanswered){
		.kept = probe->kept, .fresh = probe->fresh, .dial = probe->dial,
		.door = probe->kept != NULL && probe->door_met ? (probe->door != NULL ? probe->door : &open) : NULL,
		.query_timeout_ms = probe->config->query_timeout_ms,
	};
}

static void on_silence(void *data)
{
	struct probe *probe = data;

	if (probe->task.kind != TASK_NONE && probe->kept != NULL)
		mistrust_kept(probe);
	if (probe->task.kind != TASK_NONE && unanswered_is_of_path(unanswered_by(probe)))
		probe->events.late(probe->data);
}

static void on_deadline(void *data)
{
	struct probe *probe = data;
	struct evidence evidence = unanswered_evidence(unanswered_by(probe));

	if (probe->kept != NULL) {
		lane_free(&probe->fresh);
		end_kept(probe);
	}
	if (evidence.own_fault)
		probe->events.tried(probe->data, probe->kept != NULL, &evidence);
	fail_task(probe, &evidence);
}

static void start_task(struct probe *probe, enum task_kind kind, const struct beat_order *order, bool at_stake)
{
	probe->task = (struct task){ .kind = kind, .has_order = order != NULL, .at_stake = at_stake };
	probe->asked_ms = clock_steady_ms();
	probe->breaks = 0;
	probe->door_met = false;
	if (order != NULL)
		probe->task.order = *order;
	deadline_start_at(&probe->deadline, probe->asked_ms, probe->config->query_timeout_ms);
	deadline_start_at(&probe->silence, probe->asked_ms, probe->config->query_timeout_ms / 2);
	if (probe->kept != NULL)
		lane_do(probe->kept, &probe->task);
	else if (probe->dial == NULL)
		start_dial(probe, false);
}

void probe_look(struct probe *probe, const struct beat_order *order, bool at_stake)
{
	start_task(probe, TASK_LOOK, order, at_stake);
}

void probe_beat(struct probe *probe, const struct beat_order *order)
{
	start_task(probe, TASK_BEAT, order, false);
}

bool probe_is_busy(const struct probe *probe)
{
	return probe->task.kind != TASK_NONE;
}

bool probe_needs_connect(const struct probe *probe)
{
	return probe->kept == NULL && probe->dial == NULL;
}

bool probe_hear(struct probe *probe)
{
	return probe->kept != NULL && probe->task.kind == TASK_NONE && lane_hear(probe->kept);
}

bool probe_is_logging_in(const struct probe *probe)
{
	return probe->kept != NULL ? probe->task.kind == TASK_LOOK : probe->dial != NULL && dial_is_logging_in(probe->dial);
}

void probe_dial_anew(struct probe *probe)
{
	if (probe->kept == NULL && probe->task.kind == TASK_NONE)
		dial_cancel(&probe->dial);
}

const char *probe_address(const struct probe *probe)
{
	return probe->last_good;
}

void probe_refresh(struct probe *probe)
{
	if (probe->kept != NULL && probe->fresh == NULL && probe->dial == NULL)
		start_dial(probe, false);
}

struct probe *probe_new(const struct probe_context *context, const struct config *config, const struct config_node *node,
			const struct probe *before, const struct probe_events *events, void *data)
{
	struct probe *probe = mem_zalloc(1, sizeof(*probe));

	*probe = (struct probe){
		.context = *context, .config = config, .node = node, .events = *events, .data = data,
		.kept_ended_ms = INT64_MIN,
		.terms = { config, 0, &probe->table, &probe->who, context->drain, context->pool },
	};
	if (before != NULL) { /* a connection that it still keeps ends with it */
		probe->word = before->word;
		probe->kept_ended_ms = before->kept != NULL ? clock_steady_ms() : before->kept_ended_ms;
		text_copy(probe->last_good, sizeof(probe->last_good), before->last_good);
	}
	deadline_init(&probe->deadline, context->deadlines, on_deadline, probe);
	deadline_init(&probe->silence, context->deadlines, on_silence, probe);
	return probe;
}

void probe_set_config(struct probe *probe, const struct config *config, const struct config_node *node)
{
	probe->config = config;
	probe->node = node;
	probe->terms.config = config;
	table_forget_pauses(&probe->table);
	probe->task.order.master = node->id;
	lane_set_config(probe->kept, config, node->id);
	lane_set_config(probe->fresh, config, node->id);
	dial_set_node(probe->dial, node);
}

void probe_free(struct probe **probe_p)
{
	struct probe *probe = *probe_p;

	*probe_p = NULL;
	if (probe == NULL)
		return;
	dial_cancel(&probe->dial);
	lane_free(&probe->fresh);
	lane_free(&probe->kept);
	deadline_stop(&probe->deadline);
	deadline_stop(&probe->silence);
	timer_free(&probe->reconnect);
	table_free(&probe->table);
	evidence_open_door(&probe->door);
	free(probe);
}
