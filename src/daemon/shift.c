#include "daemon/shift.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/duty.h"
#include "daemon/loners.h"
#include "loop/timer.h"
#include "records/event_reading.h"

#define KEPT_EVENTS 1000 /* events in etcd; the commit of a new one deletes the oldest */
#define PARTS_AT_ONCE 100 /* parts of the state in one commit: etcd takes 128 operations */
#define COUNT_MS 1000     /* how often the nodes that answer are counted */
#define SURE_MS 100       /* how often a term that is unsure is looked at again */

struct shift {
	struct config *config;
	const struct clock *clock;
	struct monitor *monitor;
	struct dispatch *dispatch;
	struct loners loners;
	struct shift_events events;
	void *data;
	struct council *council;
	struct unsaved *unsaved;
	struct duties duties;
	struct duty *making;    /* the duty whose commit is being made; NULL: none is */
	struct list after;      /* struct commit *, made while that of `making` was, to be sent after it */
	char *meta;             /* the fleet's counts in the last commit; NULL: there was none */
	unsigned long commits;  /* the number of the last one made */
	unsigned long standing; /* the number of the last one that stands */
	struct timer *look;     /* looks whether the term is sure again */
	struct timer *count;    /* counts the nodes that answer */
	bool misses;            /* etcd is away for long: events are dropped until it is back (on_returned()) */
	bool waits;             /* a start was put off because the term was not sure */
	bool leaves;            /* the daemon ends: a term that comes now is not begun */
	struct gate gate;
};

/* ---- commits ---- */

static void add_part(void *data, const char *key, const char *text)
{
	commit_put(data, key, mem_strdup(text));
}

static struct commit *new_commit(struct shift *shift)
{
	struct buf meta = { 0 };

	if (shift->monitor != NULL) {
		monitor_render_meta(shift->monitor, &meta);
		free(shift->meta);
		shift->meta = buf_steal(&meta);
	}
	return commit_new(++shift->commits, mem_strdup(shift->meta));
}

/*
 * Makes a commit with the parts of the state that have changed; where they are many, the first ones go out in commits
 * before it.
 */
static struct commit *commit_with_state(struct shift *shift)
{
	struct moment now = clock_now(shift->clock);
	struct commit *commit = new_commit(shift);

	for (;;) {
		(void)unsaved_take(shift->unsaved, monitor_fleet(shift->monitor), &now, PARTS_AT_ONCE, add_part, commit);
		if (unsaved_count(shift->unsaved) == 0)
			return commit;
		council_commit(shift->council, commit);
		commit = new_commit(shift);
	}
}

static void put_record(struct commit *commit, const struct duty *duty)
{
	char *key = event_record_key(duty->number);
	struct buf text = { 0 };

	event_record_render(&duty->record, &text);
	commit_put(commit, key, buf_steal(&text));
	free(key);
}

/*
 * Commits what has become of the event's runs, and returns the commit's number. Where the event's own commit is being
 * made, that has it.
 */
static unsigned long commit_runs(struct shift *shift, const struct duty *duty)
{
	struct commit *commit;
	unsigned long number;

	if (duty == shift->making)
		return duty->commit;
	commit = new_commit(shift);
	number = commit->number;
	put_record(commit, duty);
	if (shift->making != NULL) { /* after the one that is being made, whose number is lower */
		list_add(&shift->after, commit);
		return number;
	}
	council_commit(shift->council, commit);
	return number;
}

/* ---- events ---- */

/* Deletes the event that is too old to be kept, in the commit of a new one. */
static void drop_old(struct commit *commit, unsigned long number)
{
	char *key;

	if (number <= KEPT_EVENTS)
		return;
	key = event_record_key(number - KEPT_EVENTS);
	commit_put(commit, key, NULL);
	free(key);
}

bool shift_fired(struct shift *shift, struct event *event)
{
	struct commit *commit;
	struct duty *duty;

	if (shift == NULL)
		return true;
	if (council_term(shift->council) == 0)
		return false;
	event_set_term(event, council_term(shift->council));
	if (event->kind == EVENT_HEARTBEAT)
		return council_is_sure(shift->council);
	shift->misses = shift->misses || council_stuck_ms(shift->council) > shift->config->monitors.ttl_ms;
	if (shift->misses) { /* on_returned() makes the difference fire */
		loners_dispatch(&shift->loners, shift->config, event, NULL);
		return false;
	}
	commit = commit_with_state(shift);
	duty = duty_new(shift->config, event);
	duty->commit = commit->number;
	duties_add(&shift->duties, duty);
	shift->making = duty;
	/* The dispatch asks may_start() when a place is free: this commit then has the start, too. */
	loners_dispatch(&shift->loners, shift->config, event, duty);
	shift->making = NULL;
	put_record(commit, duty);
	drop_old(commit, duty->number);
	council_commit(shift->council, commit);
	while ((commit = list_shift(&shift->after)) != NULL)
		council_commit(shift->council, commit);
	return false;
}

/* Commits the start of this run, which has to stand before the run starts. */
static void ask_for_start(struct shift *shift, struct duty *duty, size_t i)
{
	duty->record.runs[i].state = EVENT_RUN_STARTED;
	duty->starts[i] = commit_runs(shift, duty);
	duties_await(&shift->duties, duty->starts[i], duty->record.event->cluster_id);
}

static enum gate_answer when_sure(struct shift *shift)
{
	if (council_is_sure(shift->council))
		return GATE_OPEN;
	shift->waits = true;
	if (!timer_is_set(shift->look))
		timer_start(shift->look, SURE_MS);
	return GATE_SOON;
}

static enum gate_answer may_start(void *data, const struct event *event, const struct config_action *action, bool again)
{
	struct shift *shift = data;
	struct duty *duty = duties_find(&shift->duties, event);
	size_t i;
	struct event_run *run = duty != NULL ? duty_find_run(duty, action->path, &i) : NULL;

	(void)again; /* the record says so, too */
	if (event->kind == EVENT_HEARTBEAT)
		return when_sure(shift);
	if (run == NULL || council_term(shift->council) == 0)
		return GATE_SHUT;
	if (duty->starts[i] == 0)
		ask_for_start(shift, duty, i);
	return duty->starts[i] > shift->standing ? GATE_SOON : when_sure(shift);
}

static void on_look(void *data)
{
	struct shift *shift = data;

	if (!shift->waits)
		return;
	if (council_is_sure(shift->council)) {
		shift->waits = false;
		dispatch_gate_changed(shift->dispatch);
	} else if (council_term(shift->council) != 0) {
		timer_start(shift->look, SURE_MS);
	}
}

void shift_ended(struct shift *shift, const struct event *event, const char *path, enum action_end end, const char *how)
{
	struct duty *duty = shift != NULL ? duties_find(&shift->duties, event) : NULL;
	struct event_run *run;
	size_t i;

	if (duty == NULL || council_term(shift->council) == 0)
		return;
	run = duty_find_run(duty, path, &i);
	if (run == NULL || (shift->leaves && (end == ACTION_DROPPED || end == ACTION_FAILED)))
		return; /* while the daemon ends, what did not start or was cut short is left for the next monitor */
	duty_end_run(run, how);
	(void)commit_runs(shift, duty);
	if (duty->stands && duty_is_over(duty))
		duties_end(&shift->duties, duty);
}

/* ---- what the council says ---- */

static void on_committed(void *data, unsigned long number)
{
	struct shift *shift = data;
	struct duty *duty;
	int cluster_id;

	shift->standing = number;
	while ((duty = duties_next_standing(&shift->duties, number)) != NULL) {
		shift->events.committed(shift->data, &duty->record);
		if (duty_is_over(duty))
			duties_end(&shift->duties, duty);
	}
	while (duties_next_started(&shift->duties, number, &cluster_id))
		dispatch_gate_changed_for(shift->dispatch, cluster_id);
}

/* ---- a term begins ---- */

/* Queues what is left of an event that another monitor began with; takes over the duty. */
static void go_on_with(struct shift *shift, struct duty *duty)
{
	struct dispatch_rest *rest = mem_zalloc(duty->record.run_count + 1, sizeof(*rest));
	size_t count = duty_find_rest(duty, shift->config, rest);

	if (count == 0) {
		(void)commit_runs(shift, duty);
		duty_free(&duty);
	} else {
		event_set_term(duty->record.event, council_term(shift->council));
		duties_add(&shift->duties, duty);
		dispatch_event_rest(shift->dispatch, duty->record.event, rest, count);
	}
	free(rest);
}

static void take_event(struct shift *shift, const struct estate_event *stored)
{
	struct event_record record = { 0 };
	struct duty *duty;
	char *why = NULL;

	if (!event_reading_make(stored->text, strlen(stored->text), monitor_board(shift->monitor), &record, &why)) {
		log_error("the stored event %lu cannot be read, and its triggers do not run: %s", stored->number, why);
		free(why);
		return;
	}
	free(why);
	duty = duty_of(&record, stored->number);
	duty->stands = true;
	if (duty_is_over(duty))
		duty_free(&duty);
	else
		go_on_with(shift, duty);
}

/* Writes the state to a store that is another one than before; no event fires by that. */
static void seed(struct shift *shift, const struct estate *estate)
{
	unsaved_stored(shift->unsaved, estate->saved, NULL);
	unsaved_all(shift->unsaved, monitor_fleet(shift->monitor));
	council_commit(shift->council, commit_with_state(shift));
	log_error("what this monitor knows of the fleet is written to etcd");
}

static void on_acts(void *data, const struct estate *estate)
{
	struct shift *shift = data;

	if (shift->leaves)
		return;
	duties_drop(&shift->duties);
	unsaved_clear(shift->unsaved);
	shift->standing = shift->commits;
	shift->misses = false;
	if (estate->left_out != NULL)
		log_error("a part of the state in etcd cannot be read and was left out: %s", estate->left_out);
	if (estate->seeds) {
		seed(shift, estate);
		return;
	}
	shift->monitor = shift->events.restart(shift->data, estate->saved, shift->unsaved);
	unsaved_stored(shift->unsaved, estate->saved, shift->config);
	if (estate->saved == NULL) /* nothing of what it begins with is stored yet */
		unsaved_all(shift->unsaved, monitor_fleet(shift->monitor));
	for (size_t i = 0; i < estate->events.count; i++)
		take_event(shift, estate->events.items[i]);
}

/* etcd is back: the monitor begins anew from what was committed last, so that what has changed since fires now. */
static void on_returned(void *data, const struct estate *estate)
{
	struct shift *shift = data;

	if (!shift->misses || shift->leaves)
		return;
	shift->misses = false;
	unsaved_clear(shift->unsaved);
	shift->monitor = shift->events.restart(shift->data, estate->saved, shift->unsaved);
}

static void on_stands_by(void *data, const char *why)
{
	struct shift *shift = data;

	shift->misses = false;
	duties_drop(&shift->duties); /* how they end the next monitor finds out */
	unsaved_clear(shift->unsaved);
	dispatch_abandon(shift->dispatch, why);
	dispatch_abandon(shift->loners.alone, why);
}

static void on_changed(void *data)
{
	struct shift *shift = data;

	shift->events.changed(shift->data);
}

static void on_in(void *data)
{
	struct shift *shift = data;

	shift->events.in(shift->data);
}

static void on_taken(void *data, const char *host)
{
	struct shift *shift = data;

	shift->events.taken(shift->data, shift->config->monitors.name, host);
}

/* Tells the council how many nodes answer. People read it, so that it may be a second old. */
static void on_count(void *data)
{
	struct shift *shift = data;
	const struct fleet *fleet = shift->monitor != NULL ? monitor_fleet(shift->monitor) : NULL;
	size_t answering = 0;

	for (size_t i = 0; fleet != NULL && i < fleet->node_count; i++)
		answering += fleet->nodes[i]->known && fleet->nodes[i]->failure.attempts == 0;
	if (fleet != NULL)
		council_say(shift->council, answering, fleet->node_count - answering);
	timer_start(shift->count, COUNT_MS);
}

/* ---- start and end ---- */

struct shift *shift_new(const struct shift_start *start)
{
	static const struct council_events events = {
		.acts = on_acts, .returned = on_returned, .stands_by = on_stands_by, .committed = on_committed, .changed = on_changed,
		.in = on_in, .taken = on_taken,
	};
	struct shift *shift = mem_zalloc(1, sizeof(*shift));
	const struct council_start council = {
		.loop = start->loop, .config = start->config, .events = &events, .data = shift,
		.polls = start->polls, .polls_data = start->polls_data, .hush = start->hush, .hush_data = start->hush_data,
	};

	shift->config = config_ref(start->config);
	shift->clock = start->clock;
	shift->monitor = start->monitor;
	shift->dispatch = start->dispatch;
	shift->loners = (struct loners){ .others = start->dispatch, .alone = start->alone };
	shift->events = *start->events;
	shift->data = start->data;
	shift->unsaved = unsaved_new();
	shift->look = timer_new(start->loop, on_look, shift);
	shift->count = timer_new(start->loop, on_count, shift);
	shift->gate = (struct gate){ .may_start = may_start, .data = shift };
	shift->council = council_new(&council);
	if (shift->council == NULL) {
		(void)shift_free(&shift);
		return NULL;
	}
	dispatch_set_gate(shift->dispatch, &shift->gate);
	on_count(shift);
	return shift;
}

void shift_reload(struct shift *shift, struct config *config)
{
	if (shift == NULL)
		return;
	config_unref(&shift->config);
	shift->config = config_ref(config);
	council_reload(shift->council, config);
}

struct council *shift_council(struct shift *shift)
{
	return shift != NULL ? shift->council : NULL;
}

void shift_leave(struct shift *shift)
{
	if (shift == NULL)
		return;
	shift->monitor = NULL;
	shift->leaves = true;
}

bool shift_free(struct shift **shift_p)
{
	struct shift *shift = *shift_p;

	*shift_p = NULL;
	if (shift == NULL)
		return true;
	dispatch_set_gate(shift->dispatch, NULL);
	if (!council_free(&shift->council))
		return false;
	duties_drop(&shift->duties);
	list_free(&shift->after);
	unsaved_free(&shift->unsaved);
	timer_free(&shift->look);
	timer_free(&shift->count);
	config_unref(&shift->config);
	free(shift->meta);
	free(shift);
	return true;
}
