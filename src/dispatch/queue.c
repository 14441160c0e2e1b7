#include "dispatch/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dispatch/action.h"
#include "dispatch/expendable.h"
#include "loop/clock.h"

static void init_line(struct line *line, const struct config *config)
{
	line->config = config;
	for (int rank = 0; rank < RANKS; rank++)
		TAILQ_INIT(&line->ranks[rank]);
}

void queues_init(struct queues *queues)
{
	*queues = (struct queues){ .numbers = &queues->own_numbers };
	TAILQ_INIT(&queues->lines);
	TAILQ_INIT(&queues->waiting);
	init_line(&queues->commands, NULL);
	TAILQ_INSERT_HEAD(&queues->lines, &queues->commands, in_lines);
}

static bool is_empty(const struct line *line)
{
	for (int rank = 0; rank < RANKS; rank++) {
		if (line_first(line, (enum rank)rank) != NULL)
			return false;
	}
	return true;
}

void queues_tidy(struct queues *queues)
{
	struct line *line = TAILQ_NEXT(&queues->commands, in_lines);

	while (line != NULL) {
		struct line *next = TAILQ_NEXT(line, in_lines);

		if (is_empty(line)) {
			TAILQ_REMOVE(&queues->lines, line, in_lines);
			free(line);
		}
		line = next;
	}
}

void queues_end(struct queues *queues)
{
	queues_tidy(queues);
	view_unref(&queues->others);
}

static struct queue_chain *chain_of(struct queues *queues, int cluster_id)
{
	return &queues->chains[(unsigned)cluster_id % QUEUE_CHAINS];
}

struct queue *queues_find(const struct queues *queues, int cluster_id)
{
	const struct queue_chain *chain = chain_of((struct queues *)queues, cluster_id);
	struct queue *queue = LIST_FIRST(chain);

	while (queue != NULL && queue->cluster_id != cluster_id)
		queue = LIST_NEXT(queue, in_chain);
	return queue;
}

static struct queue *make_queue(struct queues *queues, int cluster_id)
{
	struct queue *queue = mem_zalloc(1, sizeof(*queue));

	queue->queues = queues;
	queue->cluster_id = cluster_id;
	TAILQ_INIT(&queue->runs);
	TAILQ_INIT(&queue->expendable);
	LIST_INSERT_HEAD(chain_of(queues, cluster_id), queue, in_chain);
	queues->count++;
	return queue;
}

/* The line in which the run waits for a place for its next action. Makes it, if there is none. */
static struct line *line_for(struct queues *queues, const struct run *run)
{
	const struct config *config =
		action_is_command(queue_run_next_action(run)) ? NULL : run->config;
	struct line *line = TAILQ_FIRST(&queues->lines);

	while (line != NULL && line->config != config)
		line = TAILQ_NEXT(line, in_lines);
	if (line != NULL)
		return line;
	line = mem_zalloc(1, sizeof(*line));
	init_line(line, config);
	TAILQ_INSERT_TAIL(&queues->lines, line, in_lines);
	return line;
}

static bool has_begun(const struct run *run)
{
	return run->begun || run->held;
}

/* A heartbeat that has begun has the rank of other events, as all behind it in its queue wait for it. */
static enum rank rank_of(const struct run *run)
{
	enum event_kind kind = run->event->kind;

	if (kind == EVENT_MASTER_DOWN || kind == EVENT_MASTER_UP || kind == EVENT_MASTER_UNREACHABLE)
		return RANK_MASTERS;
	return kind == EVENT_HEARTBEAT && !has_begun(run) ? RANK_HEARTBEATS : RANK_OTHERS;
}

static void stand_in(struct queue *queue, struct line *line, enum rank rank)
{
	if (queue->line == line && (line == NULL || queue->rank == rank))
		return;
	if (queue->line != NULL)
		TAILQ_REMOVE(&queue->line->ranks[queue->rank], queue, in_line);
	queue->line = line;
	queue->rank = rank;
	if (line != NULL)
		TAILQ_INSERT_TAIL(&line->ranks[rank], queue, in_line);
}

static void line_up(struct queue *queue)
{
	const struct run *run = TAILQ_FIRST(&queue->runs);

	if (run == NULL || run->action != NULL || run->held || run->shut || run->before.count > 0)
		stand_in(queue, NULL, RANK_OTHERS);
	else
		stand_in(queue, line_for(queue->queues, run), rank_of(run));
}

void queues_each_first(const struct queues *queues, void (*look)(void *data, struct run *run), void *data)
{
	for (size_t i = 0; i < QUEUE_CHAINS; i++) {
		const struct queue *queue = LIST_FIRST(&queues->chains[i]);

		while (queue != NULL) {
			const struct queue *next = LIST_NEXT(queue, in_chain);

			look(data, TAILQ_FIRST(&queue->runs)); /* this may free the queue, if that is its last run */
			queue = next;
		}
	}
}

static bool same_node(const struct event *a, const struct event *b)
{
	return a->node != NULL && a->node->port == b->node->port && strcmp(a->node->host, b->node->host) == 0;
}

/* The chain with the runs of events about that node, and of some other nodes. */
static struct run_chain *runs_of(struct queues *queues, const struct node_view *node)
{
	unsigned hash = (unsigned)node->port;

	for (const char *at = node->host; *at != '\0'; at++)
		hash = hash * 31 + (unsigned char)*at;
	return &queues->nodes[hash % QUEUE_CHAINS];
}

/* Has the run wait for all runs of its node that are still queued in the cluster from which the node came. */
static void follow(struct queues *queues, struct run *run)
{
	struct run *other = LIST_FIRST(runs_of(queues, run->event->node));

	for (; other != NULL; other = LIST_NEXT(other, in_node)) {
		if (other->event->cluster_id != run->event->came_from || !same_node(other->event, run->event))
			continue;
		list_add(&other->after, run);
		list_add(&run->before, other);
	}
}

/* Puts the run at the queue's end, but before a heartbeat that has not begun. */
static void put_in(struct queue *queue, struct run *run)
{
	struct run *last = TAILQ_LAST(&queue->runs, run_list);

	if (last != NULL && last->event->kind == EVENT_HEARTBEAT && !has_begun(last) &&
	    run->event->kind != EVENT_HEARTBEAT)
		TAILQ_INSERT_BEFORE(last, run, in_queue);
	else
		TAILQ_INSERT_TAIL(&queue->runs, run, in_queue);
	queue->count++;
	queue->heartbeats += run->event->kind == EVENT_HEARTBEAT;
}

size_t queues_weigh(const struct queues *queues, const struct event *event)
{
	const struct queue *queue = queues_find(queues, event->cluster_id);
	const struct view *view = queue != NULL ? TAILQ_LAST(&queue->runs, run_list)->event->view : event->view;

	return sizeof(struct run) + event_bytes(event, view, queues->others != NULL ? queues->others : event->others);
}

static void stop_waiting(struct run *run)
{
	struct queues *queues = run->queue->queues;

	if (run->queued_ms == 0)
		return;
	run->queued_ms = 0;
	TAILQ_REMOVE(&queues->waiting, run, in_waiting);
	queues->waiting_count--;
}

bool queue_run_has_left(const struct run *run, size_t index)
{
	return index >= run->next && (run->plans == NULL || run->plans[index] != PLAN_SKIP);
}

static size_t count_actions(const struct run *run)
{
	return run->config->triggers[run->event->kind].count;
}

static size_t count_left(const struct run *run)
{
	size_t count = 0;

	for (size_t i = run->next; i < count_actions(run); i++)
		count += queue_run_has_left(run, i);
	return count;
}

/* Numbers the run, and counts it among those that wait. */
static void count_in(struct queues *queues, struct run *run)
{
	run->number = ++*queues->numbers;
	run->came_ms = run->queued_ms = clock_steady_ms();
	queues->actions += count_left(run);
	TAILQ_INSERT_TAIL(&queues->waiting, run, in_waiting);
	queues->waiting_count++;
	run->queue->bytes += run->bytes;
	queues->bytes += run->bytes;
	expendable_add(run);
	view_unref(&queues->others);
	queues->others = view_ref(run->event->others);
}

void queue_run_skip(struct run *run, size_t index)
{
	if (run->plans == NULL)
		run->plans = mem_zalloc(count_actions(run), sizeof(*run->plans));
	run->plans[index] = PLAN_SKIP;
	run->queue->queues->actions--;
}

/* Moves `next` on to an action that is to run, which may be the one where it is; false: there is none. */
static bool go_to_next(struct run *run)
{
	while (run->next < count_actions(run) && !queue_run_has_left(run, run->next))
		run->next++;
	return run->next < count_actions(run);
}

bool queue_run_goes_on(struct run *run)
{
	run->next++;
	run->queue->queues->actions--;
	return go_to_next(run);
}

struct run *queues_add(struct queues *queues, struct event *event, struct config *config, enum plan *plans,
		       size_t bytes)
{
	struct queue *queue = queues_find(queues, event->cluster_id);
	struct run *run = mem_zalloc(1, sizeof(*run));

	if (queue == NULL)
		queue = make_queue(queues, event->cluster_id);
	run->queue = queue;
	run->event = event_ref(event);
	run->config = config_ref(config);
	run->plans = plans;
	run->bytes = bytes;
	(void)go_to_next(run);
	if (event->node != NULL && event->came_from >= 0)
		follow(queues, run);
	if (event->node != NULL)
		LIST_INSERT_HEAD(runs_of(queues, event->node), run, in_node);
	put_in(queue, run);
	count_in(queues, run);
	line_up(queue);
	return run;
}

void queue_run_begins(struct run *run)
{
	queue_run_holds(run);
	stop_waiting(run);
	run->held = false;
	run->begun = true;
}

void queue_run_holds(struct run *run)
{
	expendable_remove(run);
	stand_in(run->queue, NULL, RANK_OTHERS);
	run->held = true;
}

void queue_run_is_shut_out(struct run *run)
{
	run->held = false;
	run->shut = true;
	stand_in(run->queue, NULL, RANK_OTHERS);
}

void queue_run_lines_up(const struct run *run)
{
	line_up(run->queue);
}

void queue_run_turns(struct run *run)
{
	run->held = false;
	run->shut = false;
	line_up(run->queue);
}

static void end_queue(struct queue *queue)
{
	stand_in(queue, NULL, RANK_OTHERS);
	LIST_REMOVE(queue, in_chain);
	if (queue->queues->fullest == queue)
		queue->queues->fullest = NULL;
	queue->queues->count--;
	free(queue);
}

/* Parts the run from the runs for which it waits, and from those that wait for it, which line up then. */
static void part(struct run *run)
{
	struct run *other;

	while ((other = list_shift(&run->before)) != NULL)
		list_remove(&other->after, run);
	while ((other = list_shift(&run->after)) != NULL) {
		list_remove(&other->before, run);
		line_up(other->queue);
	}
	list_free(&run->before);
	list_free(&run->after);
}

void queue_run_free(struct run **run_p)
{
	struct run *run = *run_p;
	struct queue *queue = run->queue;

	*run_p = NULL;
	TAILQ_REMOVE(&queue->runs, run, in_queue);
	expendable_remove(run);
	stop_waiting(run);
	if (run->event->node != NULL)
		LIST_REMOVE(run, in_node);
	queue->queues->actions -= count_left(run);
	queue->bytes -= run->bytes;
	queue->queues->bytes -= run->bytes;
	queue->count--;
	queue->heartbeats -= run->event->kind == EVENT_HEARTBEAT;
	part(run);
	if (queue->count > 0)
		line_up(queue);
	else
		end_queue(queue);
	event_unref(&run->event);
	config_unref(&run->config);
	free(run->plans);
	free(run);
}

const struct config_action *queue_run_next_action(const struct run *run)
{
	return &run->config->triggers[run->event->kind].actions[run->next];
}

struct run *line_first(const struct line *line, enum rank rank)
{
	const struct queue *queue = TAILQ_FIRST(&line->ranks[rank]);

	return queue != NULL ? TAILQ_FIRST(&queue->runs) : NULL;
}

static void each_run(const struct queue *queue, void (*look)(void *data, struct run *run),
		     void *data)
{
	struct run *run = TAILQ_FIRST(&queue->runs);

	while (run != NULL) {
		struct run *next = TAILQ_NEXT(run, in_queue);

		look(data, run);
		run = next; /* the queue may be freed, if that was its last run */
	}
}

void queues_each(const struct queues *queues, void (*look)(void *data, struct run *run),
		 void *data)
{
	for (size_t i = 0; i < QUEUE_CHAINS; i++) {
		const struct queue *queue = LIST_FIRST(&queues->chains[i]);

		while (queue != NULL) {
			const struct queue *next = LIST_NEXT(queue, in_chain);

			each_run(queue, look, data);
			queue = next;
		}
	}
}
