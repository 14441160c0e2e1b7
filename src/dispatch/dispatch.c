#include "dispatch/dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "dispatch/action.h"
#include "dispatch/backlog.h"
#include "dispatch/expendable.h"
#include "dispatch/mute.h"
#include "dispatch/slots.h"
#include "dispatch/queue.h"
#include "dispatch/tally.h"
#include "loop/clock.h"
#include "loop/timer.h"

#define SHUTDOWN_KILL_MS 2000
#define KILL_MS 5000 /* from TERM to KILL, of what was given up or is ended by hand */

struct dispatch {
	struct config *config;
	struct action_kit kit;
	struct queues queues;
	struct slots slots;
	bool stopping;
	bool dropping;
	const struct gate *gate; /* NULL: there is none, and every action may start */
	const char *given_up; /* while dispatch_abandon() runs: why */
	struct timer *timer;      /* after dispatch_stop(): until TERM, then until KILL */
	struct timer *kill_timer; /* set while an action has KILL_MS to end */
	struct timer *done_timer; /* calls `done` in a turn of its own */
	void (*done)(void *data);
	void *data;
};

static void on_ended(void *data);

static bool has_place(const struct dispatch *dispatch, const struct run *run)
{
	return slots_have(&dispatch->slots, dispatch->config->trigger_parallel, dispatch->kit.runner, run);
}

static void take_place(struct dispatch *dispatch, struct run *run)
{
	slots_take(&dispatch->slots, dispatch->config->trigger_parallel, run);
}

static bool is_again(const struct run *run)
{
	return run->plans != NULL && run->plans[run->next] == PLAN_AGAIN;
}

static void start_action(struct dispatch *dispatch, struct run *run)
{
	struct event *event = is_again(run) ? event_again(run->event) : event_ref(run->event);
	bool is_first = !run->begun;

	take_place(dispatch, run);
	queue_run_begins(run);
	run->started_ms = clock_steady_ms();
	run->action = action_start(&dispatch->kit, run->config, run->next, event, on_ended, run);
	tally_start(dispatch->kit.meters, event, is_first);
	event_unref(&event);
}

/* Asks the gate, and starts the run's next action if that is open. The run has a place, or there is one for it. */
static void start_if_let(struct dispatch *dispatch, struct run *run)
{
	const struct gate *gate = dispatch->gate;
	enum gate_answer answer = gate == NULL ? GATE_OPEN : gate->may_start(
		gate->data, run->event, queue_run_next_action(run), is_again(run));

	switch (answer) {
	case GATE_OPEN:
		start_action(dispatch, run);
		break;
	case GATE_SOON:
		take_place(dispatch, run);
		queue_run_holds(run);
		break;
	case GATE_SHUT:
		slots_leave(run);
		queue_run_is_shut_out(run);
		break;
	}
}

/*
 * Starts the runs of the line that have a place. True: one of them fell in a silence and was ended, so that the run
 * behind it may stand now in a line that was looked at before.
 */
static bool start_from(struct dispatch *dispatch, const struct line *line, enum rank rank)
{
	bool is_muted = false;
	struct run *run;

	while ((run = line_first(line, rank)) != NULL && has_place(dispatch, run)) {
		if (mute_run(&dispatch->kit, run))
			is_muted = true;
		else
			start_if_let(dispatch, run);
	}
	return is_muted;
}

static bool start_some(struct dispatch *dispatch)
{
	const struct line *line;
	bool is_muted = false;

	for (int rank = 0; rank < RANKS; rank++) {
		TAILQ_FOREACH(line, &dispatch->queues.lines, in_lines)
			is_muted |= start_from(dispatch, line, (enum rank)rank);
	}
	return is_muted;
}

/* Starts what may start, masters' events first, heartbeats last. A line that has no place holds up no other. */
static void schedule(struct dispatch *dispatch)
{
	while (start_some(dispatch))
		;
	queues_tidy(&dispatch->queues);
	tally_queues(dispatch->kit.meters, &dispatch->queues);
	if (dispatch->stopping && dispatch->queues.count == 0 && !timer_is_set(dispatch->done_timer))
		timer_start(dispatch->done_timer, 0);
}

/* Drops the run, if nothing of it is under way, as the daemon ends. */
static void drop_waiting(void *data, struct run *run)
{
	if (run->action == NULL)
		backlog_drop(&((struct dispatch *)data)->kit, run, "plusmoin is ending");
}

static void on_ended(void *data)
{
	struct run *run = data;
	struct dispatch *dispatch = run->dispatch;

	slots_leave(run);
	run->action = NULL;
	run->kill_ms = 0;
	if (!queue_run_goes_on(run))
		queue_run_free(&run);
	else if (run->given_up)
		backlog_end(&dispatch->kit, run, LOG_LEVEL_INFO, mem_strdup("not run further: the event was given up"));
	else if (dispatch->dropping)
		drop_waiting(dispatch, run);
	else
		queue_run_lines_up(run);
	schedule(dispatch);
}

/*
 * Drops what is expendable (expendable.h) until `bytes` more fit: from the cluster's queue while that holds too much,
 * then, while all together hold too much, from the queue that holds most.
 */
static void make_room(struct dispatch *dispatch, int cluster_id, size_t bytes)
{
	struct queues *queues = &dispatch->queues;
	const struct queue *queue = queues_find(queues, cluster_id);
	struct run *run;

	while (queue != NULL && queue->bytes + bytes > QUEUE_BYTES && (run = expendable_first(queue)) != NULL) {
		backlog_drop(&dispatch->kit, run, "its cluster's queue is full");
		queue = queues_find(queues, cluster_id); /* a queue is freed with its last event */
	}
	while (queues->bytes + bytes > QUEUES_BYTES && (run = expendable_first(expendable_fullest(queues))) != NULL)
		backlog_drop(&dispatch->kit, run, "the queues of all clusters are full, and its own is the longest");
}

void dispatch_tell(struct dispatch *dispatch, const struct dispatch_events *events, void *data)
{
	dispatch->kit.events = events;
	dispatch->kit.data = data;
}

void dispatch_measure(struct dispatch *dispatch, struct meters *meters)
{
	dispatch->kit.meters = meters;
}

void dispatch_set_silences(struct dispatch *dispatch, const struct silences *silences)
{
	dispatch->kit.silences = silences;
}

/* Queues the event, unless it falls in a silence; takes over `plans`. */
static void queue_event(struct dispatch *dispatch, struct event *event, enum plan *plans)
{
	size_t bytes = queues_weigh(&dispatch->queues, event);
	struct run *run;

	if (mute_event(&dispatch->kit, dispatch->config, event, plans))
		return;
	make_room(dispatch, event->cluster_id, bytes);
	run = queues_add(&dispatch->queues, event, dispatch->config, plans, bytes);
	run->dispatch = dispatch;
	schedule(dispatch);
}

void dispatch_event(struct dispatch *dispatch, struct event *event)
{
	const struct queue *queue = queues_find(&dispatch->queues, event->cluster_id);

	if (dispatch->config->triggers[event->kind].count == 0 || dispatch->stopping)
		return;
	if (queue != NULL && event->kind == EVENT_HEARTBEAT && queue->heartbeats > 0)
		return;
	queue_event(dispatch, event, NULL);
}

/* Sets the plan of the action at that path; false: the configuration has none there. */
static bool plan_one(const struct config_trigger *trigger, const struct dispatch_rest *rest, enum plan *plans)
{
	for (size_t i = 0; i < trigger->count; i++) {
		if (strcmp(trigger->actions[i].path, rest->path) != 0)
			continue;
		plans[i] = rest->again ? PLAN_AGAIN : PLAN_RUN;
		return true;
	}
	return false;
}

void dispatch_event_rest(struct dispatch *dispatch, struct event *event, struct dispatch_rest *rest, size_t count)
{
	const struct config_trigger *trigger = &dispatch->config->triggers[event->kind];
	enum plan *plans = mem_zalloc(trigger->count, sizeof(*plans));
	size_t known = 0;

	for (size_t i = 0; i < trigger->count; i++)
		plans[i] = PLAN_SKIP;
	for (size_t i = 0; i < count; i++) {
		rest[i].is_known = plan_one(trigger, &rest[i], plans);
		known += rest[i].is_known;
	}
	if (known > 0 && !dispatch->stopping)
		queue_event(dispatch, event, plans);
	else
		free(plans);
}

void dispatch_tell_left(const struct dispatch *dispatch, const char *event_id, dispatch_told *told, void *data)
{
	backlog_tell_left(&dispatch->queues, event_id, told, data);
}

/* Has the run's action killed KILL_MS from now. */
static void kill_later(struct dispatch *dispatch, struct run *run)
{
	if (run->kill_ms == 0)
		run->kill_ms = clock_steady_ms() + KILL_MS;
	if (!timer_is_set(dispatch->kill_timer))
		timer_start(dispatch->kill_timer, KILL_MS);
}

/* Ends the run, or, if one of its actions is under way, has that end first. */
static void give_up(void *data, struct run *run)
{
	struct dispatch *dispatch = data;

	if (run->action == NULL) {
		backlog_end(&dispatch->kit, run, LOG_LEVEL_INFO, mem_printf("not run: %s", dispatch->given_up));
	} else if (!run->given_up) {
		run->given_up = true;
		action_signal(run->action, SIGTERM);
		kill_later(dispatch, run);
	}
}

void dispatch_abandon(struct dispatch *dispatch, const char *why)
{
	dispatch->given_up = why;
	queues_each(&dispatch->queues, give_up, dispatch);
	dispatch->given_up = NULL;
	schedule(dispatch);
}

/*
 * Kills the run's action if its time is over; else lowers `*data`, the time of the next one to be killed, to its time.
 */
static void kill_late(void *data, struct run *run)
{
	int64_t *next_ms = data;

	if (run->action == NULL || run->kill_ms == 0)
		return;
	if (run->kill_ms <= clock_steady_ms())
		action_signal(run->action, SIGKILL);
	else if (run->kill_ms < *next_ms)
		*next_ms = run->kill_ms;
}

static void on_kill_time(void *data)
{
	struct dispatch *dispatch = data;
	int64_t next_ms = INT64_MAX;

	queues_each(&dispatch->queues, kill_late, &next_ms);
	if (next_ms < INT64_MAX)
		timer_start(dispatch->kill_timer, next_ms - clock_steady_ms());
}

void dispatch_number(struct dispatch *dispatch, unsigned long *numbers)
{
	dispatch->queues.numbers = numbers;
}

void dispatch_list(const struct dispatch *dispatch, size_t most, struct backlog *backlog)
{
	backlog_add(backlog, &dispatch->queues, most);
}

bool dispatch_find(const struct dispatch *dispatch, const char *id, struct backlog_row *row)
{
	return backlog_find(&dispatch->queues, id, row);
}

void dispatch_kill(struct dispatch *dispatch, const struct backlog_row *row, const char *by)
{
	struct run *run = (struct run *)row->run;

	if (!row->is_under_way) {
		backlog_strike(&dispatch->kit, run, row->index, by);
		schedule(dispatch);
	} else if (run->kill_ms == 0) {
		action_kill(run->action, by);
		kill_later(dispatch, run);
	}
}

static void signal_run(void *data, struct run *run)
{
	if (run->action != NULL)
		action_signal(run->action, *(const int *)data);
}

static void on_stop_time(void *data)
{
	struct dispatch *dispatch = data;
	int number = dispatch->dropping ? SIGKILL : SIGTERM;

	queues_each(&dispatch->queues, signal_run, &number);
	dispatch->dropping = true;
	queues_each(&dispatch->queues, drop_waiting, dispatch);
	timer_start(dispatch->timer, SHUTDOWN_KILL_MS);
	schedule(dispatch);
}

static void on_done_time(void *data)
{
	struct dispatch *dispatch = data;

	timer_stop(dispatch->timer);
	dispatch->done(dispatch->data);
}

struct dispatch *dispatch_new(uv_loop_t *loop, struct config *config, const struct runner *runner)
{
	struct dispatch *dispatch = mem_zalloc(1, sizeof(*dispatch));

	dispatch->config = config_ref(config);
	queues_init(&dispatch->queues);
	dispatch->kit.port = child_port_new(loop);
	dispatch->kit.runner = runner;
	dispatch->timer = timer_new(loop, on_stop_time, dispatch);
	dispatch->kill_timer = timer_new(loop, on_kill_time, dispatch);
	dispatch->done_timer = timer_new(loop, on_done_time, dispatch);
	return dispatch;
}

void dispatch_reload(struct dispatch *dispatch, struct config *config)
{
	struct config *old = dispatch->config;

	dispatch->config = config_ref(config);
	config_unref(&old);
	schedule(dispatch);
}

void dispatch_set_gate(struct dispatch *dispatch, const struct gate *gate)
{
	dispatch->gate = gate;
	dispatch_gate_changed(dispatch);
}

/*
 * Asks the gate again for the queue's first run. One that holds a place is asked for at once, as no other may use it.
 */
static void look_at_gate(void *data, struct run *run)
{
	struct dispatch *dispatch = data;
	bool is_command = action_is_command(queue_run_next_action(run));

	run->shut = false;
	if (run->held && mute_run(&dispatch->kit, run))
		return;
	if (run->held && (is_command || has_place(dispatch, run)))
		start_if_let(dispatch, run);
	else if (run->held && run->action == NULL)
		run->held = false; /* its script host is not ready any more */
	queue_run_lines_up(run);
}

void dispatch_gate_changed(struct dispatch *dispatch)
{
	queues_each_first(&dispatch->queues, look_at_gate, dispatch);
	schedule(dispatch);
}

void dispatch_gate_changed_for(struct dispatch *dispatch, int cluster_id)
{
	const struct queue *queue = queues_find(&dispatch->queues, cluster_id);

	if (queue != NULL)
		look_at_gate(dispatch, TAILQ_FIRST(&queue->runs));
	schedule(dispatch);
}

void dispatch_runner_changed(struct dispatch *dispatch)
{
	schedule(dispatch);
}

void dispatch_stop(struct dispatch *dispatch, void (*done)(void *data), void *data)
{
	dispatch->stopping = true;
	dispatch->done = done;
	dispatch->data = data;
	timer_start(dispatch->timer, dispatch->config->shutdown_grace_ms);
	schedule(dispatch);
}

void dispatch_free(struct dispatch **dispatch_p)
{
	struct dispatch *dispatch = *dispatch_p;

	*dispatch_p = NULL;
	if (dispatch == NULL)
		return;
	queues_end(&dispatch->queues);
	timer_free(&dispatch->timer);
	timer_free(&dispatch->kill_timer);
	timer_free(&dispatch->done_timer);
	child_port_free(&dispatch->kit.port);
	config_unref(&dispatch->config);
	free(dispatch);
}
