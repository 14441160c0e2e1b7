#include "dispatch/dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "dispatch/child.h"
#include "dispatch/environment.h"
#include "io/timer.h"

#define SHUTDOWN_KILL_MS 2000

/* An event in its queue; its actions run one after another. */
struct run {
	struct queue *queue;
	struct event *event;
	struct config *config; /* the load that it was queued under */
	size_t next;           /* action */
	struct child *child;   /* the action under way */
	unsigned waits_for;    /* events of its node still to end in the queue that it left */
	struct list followers; /* runs that wait for this one to end */
};

struct queue {
	struct dispatch *dispatch;
	int cluster_id;
	struct list runs; /* the first may be under way */
};

struct dispatch {
	uv_loop_t *loop;
	struct config *config;
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

static struct log_about about_run(const struct run *run)
{
	return (struct log_about){
		.event = event_kind_name(run->event->kind),
		.event_id = run->event->id,
		.has_cluster = true,
		.cluster_id = run->event->cluster_id,
		.node = run->event->has_node ? run->event->node.name : NULL,
	};
}

static bool is_masters(const struct event *event)
{
	return event->kind == EVENT_MASTER_DOWN || event->kind == EVENT_MASTER_UP;
}

static bool has_slot(const struct dispatch *dispatch, const struct event *event)
{
	return dispatch->running < dispatch->config->trigger_parallel ||
	       (is_masters(event) &&
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
	struct log_about about = about_run(run);

	log_line(LOG_LEVEL_ERROR, &about, "trigger dropped: %s", why);
	if (run->waits_for > 0)
		forget_follower(run->queue->dispatch, run);
	free_run(run);
}

struct slot {
	struct run *run;
	bool masters;
};

static void log_outcome(const struct run *run, const struct config_action *action,
			const struct child_outcome *outcome)
{
	struct log_about about = about_run(run);
	char *output = secret_scrub(outcome->output);
	double took = (double)outcome->took_ms / 1000.0;
	enum log_level good =
		run->event->kind == EVENT_HEARTBEAT ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
	const char *sep = output[0] != '\0' ? ": " : "";

	about.trigger = action->path;
	if (outcome->error != 0)
		log_line(LOG_LEVEL_ERROR, &about, "cannot start %s: %s", action->argv[0],
			 strerror(outcome->error));
	else if (outcome->timed_out)
		log_line(LOG_LEVEL_ERROR, &about, "timed out and was ended after %.3f s%s%s", took,
			 sep, output);
	else if (outcome->signal != 0)
		log_line(LOG_LEVEL_ERROR, &about, "ended by signal %d after %.3f s%s%s",
			 outcome->signal, took, sep, output);
	else if (outcome->exit_code != 0)
		log_line(LOG_LEVEL_ERROR, &about, "failed with exit status %d after %.3f s%s%s",
			 outcome->exit_code, took, sep, output);
	else
		log_line(good, &about, "done in %.3f s%s%s", took, sep, output);
	free(output);
}

static void on_ended(void *data, const struct child_outcome *outcome)
{
	struct slot *slot = data;
	struct run *run = slot->run;
	struct dispatch *dispatch = run->queue->dispatch;
	const struct config_trigger *trigger = &run->config->triggers[run->event->kind];

	if (slot->masters)
		dispatch->running_master--;
	else
		dispatch->running--;
	free(slot);
	log_outcome(run, &trigger->actions[run->next], outcome);
	run->child = NULL;
	if (++run->next >= trigger->count) {
		list_remove(&run->queue->runs, run);
		free_run(run);
	}
	schedule(dispatch);
}

static void start_action(struct dispatch *dispatch, struct run *run)
{
	const struct config_action *action =
		&run->config->triggers[run->event->kind].actions[run->next];
	struct slot *slot = mem_zalloc(1, sizeof(*slot));
	char **environment = environment_new(run->event);
	struct buf input = { 0 };

	slot->run = run;
	slot->masters = dispatch->running >= dispatch->config->trigger_parallel;
	if (slot->masters)
		dispatch->running_master++;
	else
		dispatch->running++;
	event_render(run->event, &input);
	buf_add_char(&input, '\n');
	run->child = child_start(dispatch->loop, action->argv, environment, buf_text(&input),
				 action->timeout_ms, on_ended, slot);
	buf_free(&input);
	environment_free(&environment);
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
			if (run->child != NULL)
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

			if (run == NULL || run->child != NULL || run->waits_for > 0 ||
			    (pass == 0 && !is_masters(run->event)) ||
			    !has_slot(dispatch, run->event))
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

/* The oldest slave_* that is not under way; never a master_*. */
static void make_room(struct queue *queue)
{
	for (size_t i = 0; i < queue->runs.count; i++) {
		struct run *run = queue->runs.items[i];

		if (run->child == NULL && run->next == 0 &&
		    (run->event->kind == EVENT_SLAVE_DOWN || run->event->kind == EVENT_SLAVE_UP)) {
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

static void signal_all(struct dispatch *dispatch, int signal)
{
	for (size_t i = 0; i < dispatch->queues.count; i++) {
		struct queue *queue = dispatch->queues.items[i];
		struct run *run = queue->runs.count > 0 ? queue->runs.items[0] : NULL;

		if (run != NULL && run->child != NULL)
			child_signal(run->child, signal);
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

struct dispatch *dispatch_new(uv_loop_t *loop, struct config *config)
{
	struct dispatch *dispatch = mem_zalloc(1, sizeof(*dispatch));

	dispatch->loop = loop;
	dispatch->config = config_ref(config);
	dispatch->timer = timer_new(loop, NULL, on_stop_time, dispatch);
	dispatch->done_timer = timer_new(loop, NULL, on_done_time, dispatch);
	return dispatch;
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
	config_unref(&dispatch->config);
	free(dispatch);
}
