#include "dispatch/dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "dispatch/action.h"
#include "io/timer.h"

#define SHUTDOWN_KILL_MS 2000

/* An event in its queue; its actions run one after another. */
struct run {
	struct queue *queue;
	struct event *event;
	struct config *config; /* the load that it was queued under */
	size_t next;           /* action */
	struct action *action; /* the one under way */
	int *slot;             /* that it holds, NULL: none */
	unsigned waits_for;    /* events of its node still to end in the queue that it left */
	struct list followers; /* runs that wait for this one to end */
};

struct queue {
	struct dispatch *dispatch;
	int cluster_id;
	struct list runs; /* the first may be under way */
};

struct dispatch {
	struct config *config;
	struct action_kit kit;
	struct list queues;
	int running;        /* external commands, but for masters' own slots */
	int running_master;
	bool stopping;
	bool dropping;
	struct timer *timer;
	struct timer *done_timer;
	void (*done)(void *data);
	void *data;
};

static void schedule(struct dispatch *dispatch);

static bool is_masters(const struct event *event)
{
	return event->kind == EVENT_MASTER_DOWN || event->kind == EVENT_MASTER_UP;
}

static const struct config_action *next_action(const struct run *run)
{
	return &run->config->triggers[run->event->kind].actions[run->next];
}

/* Whether the run's next action may start: a slot for a command, a ready host for a function. */
static bool has_place(const struct dispatch *dispatch, const struct run *run)
{
	const struct runner *runner = dispatch->kit.runner;

	if (!action_is_command(next_action(run)))
		return runner->is_ready(runner->data, run->config);
	return dispatch->running < dispatch->config->trigger_parallel ||
	       (is_masters(run->event) &&
		dispatch->running_master < dispatch->config->trigger_parallel);
}

static void free_run(struct run *run)
{
	for (size_t i = 0; i < run->followers.count; i++)
		((struct run *)run->followers.items[i])->waits_for--;
	list_free(&run->followers);
	event_unref(&run->event);
	config_unref(&run->config);
	free(run);
}

static void forget_follower(struct dispatch *dispatch, const struct run *gone)
{
	for (size_t q = 0; q < dispatch->queues.count; q++) {
		struct queue *queue = dispatch->queues.items[q];

		for (size_t i = 0; i < queue->runs.count; i++)
			list_remove(&((struct run *)queue->runs.items[i])->followers, gone);
	}
}

static void drop_run(struct run *run, const char *why)
{
	struct log_about about = event_about(run->event);

	const struct action_kit *kit = &run->queue->dispatch->kit;

	log_line(LOG_LEVEL_ERROR, &about, "trigger dropped: %s", why);
	if (kit->told != NULL) {
		char *how = mem_printf("dropped: %s", why);

		kit->told(kit->data, run->event, NULL, how);
		free(how);
	}
	if (run->waits_for > 0)
		forget_follower(run->queue->dispatch, run);
	free_run(run);
}

static void on_ended(void *data)
{
	struct run *run = data;
	struct dispatch *dispatch = run->queue->dispatch;

	if (run->slot != NULL)
		(*run->slot)--;
	run->slot = NULL;
	run->action = NULL;
	if (++run->next >= run->config->triggers[run->event->kind].count) {
		list_remove(&run->queue->runs, run);
		free_run(run);
	}
	schedule(dispatch);
}

static void start_action(struct dispatch *dispatch, struct run *run)
{
	if (action_is_command(next_action(run))) {
		run->slot = dispatch->running >= dispatch->config->trigger_parallel
				    ? &dispatch->running_master
				    : &dispatch->running;
		(*run->slot)++;
	}
	run->action = action_start(&dispatch->kit, run->config, run->next, run->event, on_ended,
				   run);
}

static bool nothing_left(const struct dispatch *dispatch)
{
	for (size_t i = 0; i < dispatch->queues.count; i++) {
		if (((struct queue *)dispatch->queues.items[i])->runs.count > 0)
			return false;
	}
	return true;
}

/* At the end: what is not under way goes. */
static void drop_waiting(struct dispatch *dispatch)
{
	for (size_t i = 0; i < dispatch->queues.count; i++) {
		struct queue *queue = dispatch->queues.items[i];
		struct list runs = queue->runs;
		struct run *run;

		queue->runs = (struct list){ 0 };
		while ((run = list_shift(&runs)) != NULL) {
			if (run->action != NULL)
				list_add(&queue->runs, run);
			else
				drop_run(run, "plusmoin is ending");
		}
		list_free(&runs);
	}
}

/* Starts what may start: masters' events first, then the others. */
static void schedule(struct dispatch *dispatch)
{
	if (dispatch->dropping)
		drop_waiting(dispatch);
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < dispatch->queues.count; i++) {
			struct queue *queue = dispatch->queues.items[i];
			struct run *run = queue->runs.count > 0 ? queue->runs.items[0] : NULL;

			if (run == NULL || run->action != NULL || run->waits_for > 0 ||
			    (pass == 0 && !is_masters(run->event)) ||
			    !has_place(dispatch, run))
				continue;
			start_action(dispatch, run);
		}
	}
	if (dispatch->stopping && nothing_left(dispatch) && !timer_is_set(dispatch->done_timer))
		timer_start(dispatch->done_timer, 0);
}

static struct queue *find_queue(struct dispatch *dispatch, int cluster_id)
{
	struct queue *queue;

	for (size_t i = 0; i < dispatch->queues.count; i++) {
		queue = dispatch->queues.items[i];
		if (queue->cluster_id == cluster_id)
			return queue;
	}
	queue = mem_zalloc(1, sizeof(*queue));
	queue->dispatch = dispatch;
	queue->cluster_id = cluster_id;
	list_add(&dispatch->queues, queue);
	return queue;
}

static bool may_be_dropped(enum event_kind kind)
{
	return kind == EVENT_SLAVE_DOWN || kind == EVENT_SLAVE_UP || kind == EVENT_NODE_HELD;
}

/* The oldest slave_* (or node_held) that is not under way; never a master_*. */
static void make_room(struct queue *queue)
{
	for (size_t i = 0; i < queue->runs.count; i++) {
		struct run *run = queue->runs.items[i];

		if (run->action == NULL && run->next == 0 &&
		    may_be_dropped(run->event->kind)) {
			list_remove(&queue->runs, run);
			drop_run(run, "its cluster's queue is full");
			return;
		}
	}
}

static bool has_heartbeat(const struct queue *queue)
{
	for (size_t i = 0; i < queue->runs.count; i++) {
		if (((struct run *)queue->runs.items[i])->event->kind == EVENT_HEARTBEAT)
			return true;
	}
	return false;
}

/* An event of a node that came from another cluster waits for that node's events there. */
static void follow(struct dispatch *dispatch, struct run *run)
{
	for (size_t q = 0; q < dispatch->queues.count; q++) {
		struct queue *queue = dispatch->queues.items[q];

		if (queue->cluster_id != run->event->came_from)
			continue;
		for (size_t i = 0; i < queue->runs.count; i++) {
			struct run *other = queue->runs.items[i];

			if (other->event->has_node &&
			    strcmp(other->event->node.host, run->event->node.host) == 0 &&
			    other->event->node.port == run->event->node.port) {
				list_add(&other->followers, run);
				run->waits_for++;
			}
		}
	}
}

void dispatch_tell(struct dispatch *dispatch, dispatch_told *told, void *data)
{
	dispatch->kit.told = told;
	dispatch->kit.data = data;
}

void dispatch_event(struct dispatch *dispatch, struct event *event)
{
	struct queue *queue;
	struct run *run;

	if (dispatch->config->triggers[event->kind].count == 0 || dispatch->stopping)
		return;
	queue = find_queue(dispatch, event->cluster_id);
	if (event->kind == EVENT_HEARTBEAT && has_heartbeat(queue))
		return;
	if (queue->runs.count >= QUEUE_EVENTS)
		make_room(queue);
	run = mem_zalloc(1, sizeof(*run));
	run->queue = queue;
	run->event = event_ref(event);
	run->config = config_ref(dispatch->config);
	if (event->came_from >= 0 && event->has_node)
		follow(dispatch, run);
	list_add(&queue->runs, run);
	schedule(dispatch);
}

static void tell_left(const struct run *run, dispatch_told *told, void *data)
{
	const struct config_trigger *trigger = &run->config->triggers[run->event->kind];

	for (size_t i = run->next; i < trigger->count; i++)
		told(data, run->event, trigger->actions[i].path,
		     i == run->next && run->action != NULL ? "running" : "waiting");
}

void dispatch_tell_left(const struct dispatch *dispatch, const char *event_id, dispatch_told *told,
			void *data)
{
	for (size_t q = 0; q < dispatch->queues.count; q++) {
		const struct queue *queue = dispatch->queues.items[q];

		for (size_t i = 0; i < queue->runs.count; i++) {
			const struct run *run = queue->runs.items[i];

			if (strcmp(run->event->id, event_id) == 0)
				tell_left(run, told, data);
		}
	}
}

static void signal_all(struct dispatch *dispatch, int signal)
{
	for (size_t i = 0; i < dispatch->queues.count; i++) {
		struct queue *queue = dispatch->queues.items[i];
		struct run *run = queue->runs.count > 0 ? queue->runs.items[0] : NULL;

		if (run != NULL && run->action != NULL)
			action_signal(run->action, signal);
	}
}

static void on_stop_time(void *data)
{
	struct dispatch *dispatch = data;

	signal_all(dispatch, dispatch->dropping ? SIGKILL : SIGTERM);
	dispatch->dropping = true;
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
	dispatch->kit.port = child_port_new(loop);
	dispatch->kit.runner = runner;
	dispatch->timer = timer_new(loop, NULL, on_stop_time, dispatch);
	dispatch->done_timer = timer_new(loop, NULL, on_done_time, dispatch);
	return dispatch;
}

/* Runs that have not begun go over to `config`; the others end with what they have. */
static void move_runs(struct queue *queue, const struct config *replaces, struct config *config)
{
	for (size_t i = queue->runs.count; i-- > 0;) {
		struct run *run = queue->runs.items[i];
		struct config *old = run->config;

		if (old != replaces || run->action != NULL || run->next > 0)
			continue;
		if (config->triggers[run->event->kind].count == 0) {
			list_remove(&queue->runs, run);
			drop_run(run, "the new configuration has nothing for it");
			continue;
		}
		run->config = config_ref(config);
		config_unref(&old);
	}
}

void dispatch_reload(struct dispatch *dispatch, struct config *config,
		     const struct config *replaces)
{
	struct config *old = dispatch->config;

	for (size_t i = 0; replaces != NULL && i < dispatch->queues.count; i++)
		move_runs(dispatch->queues.items[i], replaces, config);
	dispatch->config = config_ref(config);
	config_unref(&old);
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
	for (size_t i = 0; i < dispatch->queues.count; i++) {
		struct queue *queue = dispatch->queues.items[i];

		list_free(&queue->runs);
		free(queue);
	}
	list_free(&dispatch->queues);
	timer_free(&dispatch->timer);
	timer_free(&dispatch->done_timer);
	child_port_free(&dispatch->kit.port);
	config_unref(&dispatch->config);
	free(dispatch);
}
