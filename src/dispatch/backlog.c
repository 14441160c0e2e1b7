#include "dispatch/backlog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "dispatch/slots.h"
#include "dispatch/tally.h"

/* ---- ids ---- */

static size_t count_actions(const struct run *run)
{
	return run->config->triggers[run->event->kind].count;
}

static void name(const struct run *run, size_t index, char id[BACKLOG_ID_BYTES])
{
	if (count_actions(run) > 1)
		(void)snprintf(id, BACKLOG_ID_BYTES, "%lu.%zu", run->number, index + 1);
	else
		(void)snprintf(id, BACKLOG_ID_BYTES, "%lu", run->number);
}

static bool is_under_way(const struct run *run, size_t index)
{
	return run->action != NULL && index == run->next;
}

struct search {
	const char *id;
	unsigned long number; /* the first part of the id */
	struct backlog_row *row;
	bool found;
};

static void look_for_id(void *data, struct run *run)
{
	struct search *search = data;
	char id[BACKLOG_ID_BYTES];

	if (run->number != search->number)
		return;
	for (size_t i = run->next; i < count_actions(run); i++) {
		name(run, i, id);
		if (strcmp(id, search->id) != 0 || !queue_run_has_left(run, i))
			continue;
		*search->row = (struct backlog_row){ .run = run, .index = i, .is_under_way = is_under_way(run, i) };
		search->found = true;
	}
}

bool backlog_find(const struct queues *queues, const char *id, struct backlog_row *row)
{
	struct search search = { .id = id, .number = strtoul(id, NULL, 10), .row = row };

	queues_each(queues, look_for_id, &search);
	return search.found;
}

/* ---- the list ---- */

static void add_row(struct backlog *backlog, const struct run *run, size_t index)
{
	if (backlog->count == backlog->room) {
		backlog->room = backlog->room > 0 ? 2 * backlog->room : 16;
		backlog->rows = mem_grow(backlog->rows, backlog->room, sizeof(*backlog->rows));
	}
	backlog->rows[backlog->count++] = (struct backlog_row){
		.run = run, .index = index, .is_under_way = is_under_way(run, index),
	};
}

static void add_run(struct backlog *backlog, const struct run *run)
{
	for (size_t i = run->next; i < count_actions(run); i++) {
		if (queue_run_has_left(run, i))
			add_row(backlog, run, i);
	}
}

static void add_begun(void *data, struct run *run)
{
	struct backlog *backlog = data;

	backlog->under_way += run->action != NULL;
	if (run->begun)
		add_run(backlog, run);
}

void backlog_add(struct backlog *backlog, const struct queues *queues, size_t most)
{
	const struct run *run = TAILQ_FIRST(&queues->waiting);
	size_t before = backlog->under_way;
	size_t end;

	queues_each_first(queues, add_begun, backlog);
	backlog->waiting += queues->actions - (backlog->under_way - before);
	for (end = backlog->count + most; run != NULL && backlog->count < end; run = TAILQ_NEXT(run, in_waiting))
		add_run(backlog, run);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* Orders actions under way by their start, before those that wait, which it orders by the numbers of their events. */
static int compare_rows(const void *a_p, const void *b_p)
{
	const struct backlog_row *a = a_p;
	const struct backlog_row *b = b_p;
	int order = 0;

	if (a->is_under_way != b->is_under_way)
		return a->is_under_way ? -1 : 1;
	if (a->is_under_way)
		order = compare_numbers((uint64_t)a->run->started_ms, (uint64_t)b->run->started_ms);
	if (order == 0)
		order = compare_numbers(a->run->number, b->run->number);
	return order != 0 ? order : compare_numbers(a->index, b->index);
}

void backlog_sort(struct backlog *backlog, size_t most)
{
	if (backlog->count > 0)
		qsort(backlog->rows, backlog->count, sizeof(*backlog->rows), compare_rows);
	if (backlog->count > most)
		backlog->count = most;
}

void backlog_free(struct backlog *backlog)
{
	free(backlog->rows);
	*backlog = (struct backlog){ 0 };
}

/* ---- a row ---- */

static void look_at_run(const struct run *run, struct backlog_look *look)
{
	struct runner_wait wait = action_waits_for(run->action);

	look->state = run->kill_ms != 0 ? "ending" : "running";
	look->since_ms = run->started_ms;
	look->waits_for = wait.begun ? wait.what : "host";
	look->waits_since_ms = wait.since_ms;
	look->pid = action_pid(run->action);
}

/* The run whose end this one waits for; NULL: it waits for none. */
static const struct run *find_before(const struct run *run)
{
	const struct run *first = TAILQ_FIRST(&run->queue->runs);

	if (run != first)
		return first;
	return run->before.count > 0 ? run->before.items[0] : NULL;
}

static void look_at_waiting(const struct run *run, size_t index, struct backlog_look *look)
{
	const struct run *before = index != run->next ? run : find_before(run);

	look->state = "waiting";
	look->since_ms = run->came_ms;
	if (before != NULL) {
		look->waits_for = "turn";
		name(before, before->next, look->behind);
	} else if (run->held || run->shut) {
		look->waits_for = "term";
	} else {
		look->waits_for = action_is_command(queue_run_next_action(run)) ? "place" : "host";
	}
}

const struct config_action *backlog_action(const struct backlog_row *row)
{
	return &row->run->config->triggers[row->run->event->kind].actions[row->index];
}

struct backlog_look backlog_look_at(const struct backlog_row *row)
{
	struct backlog_look look = { 0 };

	name(row->run, row->index, look.id);
	if (row->is_under_way)
		look_at_run(row->run, &look);
	else
		look_at_waiting(row->run, row->index, &look);
	return look;
}

/* ---- what is dropped ---- */

void backlog_end(const struct action_kit *kit, struct run *run, enum log_level level, char *how)
{
	const struct config_trigger *trigger = &run->config->triggers[run->event->kind];
	struct log_about about = action_event_about(run->event);

	log_line(level, &about, "trigger %s", how);
	action_tell(kit, run->event, NULL, how);
	for (size_t i = run->next; i < trigger->count; i++) {
		if (queue_run_has_left(run, i))
			action_tell_end(kit, run->event, trigger->actions[i].path, ACTION_DROPPED, how);
	}
	free(how);
	slots_leave(run);
	queue_run_free(&run);
}

void backlog_drop(const struct action_kit *kit, struct run *run, const char *why)
{
	tally_drop(kit->meters);
	backlog_end(kit, run, LOG_LEVEL_ERROR, mem_printf("dropped: %s", why));
}

static void tell_struck(const struct action_kit *kit, const struct run *run, size_t index, const char *by)
{
	const char *path = run->config->triggers[run->event->kind].actions[index].path;
	struct log_about about = action_event_about(run->event);
	char *how = mem_printf("dropped by %s", by);

	about.trigger = path;
	log_line(LOG_LEVEL_ERROR, &about, "%s", how);
	tally_drop(kit->meters);
	action_tell(kit, run->event, path, how);
	action_tell_end(kit, run->event, path, ACTION_DROPPED, how);
	free(how);
}

void backlog_strike(const struct action_kit *kit, struct run *run, size_t index, const char *by)
{
	tell_struck(kit, run, index, by);
	if (index != run->next) {
		queue_run_skip(run, index);
		return;
	}
	slots_leave(run);
	if (queue_run_goes_on(run))
		queue_run_turns(run);
	else
		queue_run_free(&run);
}

/* ---- of one event ---- */

/* The arguments of backlog_tell_left(). */
struct left_asker {
	const char *event_id;
	dispatch_told *told;
	void *data;
};

static void tell_left(void *data, struct run *run)
{
	const struct left_asker *asker = data;
	const struct config_trigger *trigger = &run->config->triggers[run->event->kind];

	if (strcmp(run->event->id, asker->event_id) != 0)
		return;
	for (size_t i = run->next; i < trigger->count; i++) {
		if (queue_run_has_left(run, i))
			asker->told(asker->data, run->event, trigger->actions[i].path,
				    i == run->next && run->action != NULL ? "running" : "waiting");
	}
}

void backlog_tell_left(const struct queues *queues, const char *event_id, dispatch_told *told, void *data)
{
	struct left_asker asker = { .event_id = event_id, .told = told, .data = data };

	queues_each(queues, tell_left, &asker);
}
