#include "dispatch/dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "dispatch/action.h"
#include "dispatch/queue.h"
#include "dispatch/tally.h"
#include "loop/timer.h"

#define SHUTDOWN_KILL_MS 2000

struct dispatch {
	struct config *config;
	struct action_kit kit;
	struct queues queues;
	int running;        /* external commands, but for masters' own slots */
	int running_master;
	bool stopping;
	bool dropping;
	struct timer *timer;
	struct timer *done_timer;
	void (*done)(void *data);
	void *data;
};

static void on_ended(void *data);

/* Whether the run's next action may start: a slot for a command, a ready host for a function. */
static bool has_place(const struct dispatch *dispatch, const struct run *run)
{
	const struct runner *runner = dispatch->kit.runner;
	int slots = dispatch->config->trigger_parallel;

	if (!action_is_command(queue_run_next_action(run)))
		return runner->is_ready(runner->data, run->config);
	return dispatch->running < slots ||
	       (run->queue->rank == RANK_MASTERS && dispatch->running_master < slots);
}

static void start_action(struct dispatch *dispatch, struct run *run)
{
	queue_run_begins(run);
	if (action_is_command(queue_run_next_action(run))) {
		run->slot = dispatch->running >= dispatch->config->trigger_parallel
				    ? &dispatch->running_master
				    : &dispatch->running;
		(*run->slot)++;
	}
	run->action = action_start(&dispatch->kit, run->config, run->next, run->event, on_ended,
				   run);
}

static void start_from(struct dispatch *dispatch, const struct line *line, enum rank rank)
{
	struct run *run;

	while ((run = line_first(line, rank)) != NULL && has_place(dispatch, run))
		start_action(dispatch, run);
}

/* Starts what may start, masters' events first, heartbeats last. A line that has no place holds up no other. */
static void schedule(struct dispatch *dispatch)
{
	const struct line *line;

	for (int rank = 0; rank < RANKS; rank++) {
		for (line = TAILQ_FIRST(&dispatch->queues.lines); line != NULL;
		     line = TAILQ_NEXT(line, in_lines))
			start_from(dispatch, line, (enum rank)rank);
	}
	queues_tidy(&dispatch->queues);
	tally_queues(dispatch->kit.meters, &dispatch->queues);
	if (dispatch->stopping && dispatch->queues.count == 0 &&
	    !timer_is_set(dispatch->done_timer))
		timer_start(dispatch->done_timer, 0);
}

static void drop_run(struct dispatch *dispatch, struct run *run, const char *why)
{
	struct log_about about = action_event_about(run->event);
	char *how = mem_printf("dropped: %s", why);

	log_line(LOG_LEVEL_ERROR, &about, "trigger %s", how);
	action_tell(&dispatch->kit, run->event, NULL, how);
	tally_drop(dispatch->kit.meters);
	free(how);
	queue_run_free(&run);
}

/* At the end: what is not under way goes. */
static void drop_waiting(void *data, struct run *run)
{
	if (run->action == NULL)
		drop_run(data, run, "plusmoin is ending");
}

static void on_ended(void *data)
{
	struct run *run = data;
	struct dispatch *dispatch = run->dispatch;

	if (run->slot != NULL)
		(*run->slot)--;
	run->slot = NULL;
	run->action = NULL;
	if (++run->next >= run->config->triggers[run->event->kind].count)
		queue_run_free(&run);
	else if (dispatch->dropping)
		drop_waiting(dispatch, run);
	else
		queue_run_lines_up(run);
	schedule(dispatch);
}

/*
 * A heartbeat that waits goes, then the oldest slave_* (or node_held) that is not under way; never a master_*: of the
 * event's cluster while that has too much, and where all have too much of the one that has most.
 */
static void make_room(struct dispatch *dispatch, int cluster_id, size_t bytes)
{
	struct queues *queues = &dispatch->queues;
	const struct queue *queue = queues_find(queues, cluster_id);
	struct run *run;

	while (queue != NULL && queue->bytes + bytes > QUEUE_BYTES && (run = queue_expendable(queue)) != NULL) {
		drop_run(dispatch, run, "its cluster's queue is full");
		queue = queues_find(queues, cluster_id); /* it goes with its last event */
	}
	while (queues->bytes + bytes > QUEUES_BYTES && (run = queue_expendable(queues_fullest(queues))) != NULL)
		drop_run(dispatch, run, "the queues of all clusters are full, and its own is the longest");
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

void dispatch_event(struct dispatch *dispatch, struct event *event)
{
	const struct queue *queue = queues_find(&dispatch->queues, event->cluster_id);
	size_t bytes;
	struct run *run;

	if (dispatch->config->triggers[event->kind].count == 0 || dispatch->stopping)
		return;
	if (queue != NULL && event->kind == EVENT_HEARTBEAT && queue->heartbeats > 0)
		return;
	bytes = queues_weigh(&dispatch->queues, event);
	make_room(dispatch, event->cluster_id, bytes);
	run = queues_add(&dispatch->queues, event, dispatch->config, bytes);
	run->dispatch = dispatch;
	schedule(dispatch);
}

/* Who wants to know how far an event's actions are. */
struct asker {
	const char *event_id;
	dispatch_told *told;
	void *data;
};

static void tell_left(void *data, struct run *run)
{
	const struct asker *asker = data;
	const struct config_trigger *trigger = &run->config->triggers[run->event->kind];

	if (strcmp(run->event->id, asker->event_id) != 0)
		return;
	for (size_t i = run->next; i < trigger->count; i++)
		asker->told(asker->data, run->event, trigger->actions[i].path,
			    i == run->next && run->action != NULL ? "running" : "waiting");
}

void dispatch_tell_left(const struct dispatch *dispatch, const char *event_id, dispatch_told *told,
			void *data)
{
	struct asker asker = { .event_id = event_id, .told = told, .data = data };

	queues_each(&dispatch->queues, tell_left, &asker);
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
	dispatch->queues.gate = gate;
	dispatch_gate_changed(dispatch);
}

void dispatch_gate_changed(struct dispatch *dispatch)
{
	queues_gate_changed(&dispatch->queues);
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
	timer_free(&dispatch->done_timer);
	child_port_free(&dispatch->kit.port);
	config_unref(&dispatch->config);
	free(dispatch);
}
