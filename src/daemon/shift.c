#include "daemon/shift.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/duty.h"
#include "daemon/headcount.h"
#include "daemon/loners.h"
#include "daemon/scribe.h"
#include "loop/timer.h"
#include "records/event_reading.h"

#define SURE_MS 100 /* how often a term that is unsure is looked at again */

struct shift {
	struct config *config;
	struct dispatch *dispatch;
	struct loners loners;
	struct shift_events events;
	void *data;
	struct council *council;
	struct scribe scribe;
	struct duties duties;
	struct duty *making;    /* the duty whose commit is being made; NULL: none is */
	unsigned long standing; /* the number of the last commit that stands */
	struct timer *look;     /* looks whether the term is sure again */
	struct timer *keep;     /* commits changes of pm.state that no end of a run has taken along */
	struct headcount *headcount;
	bool misses;            /* etcd is away for long: events are dropped until it is back (on_returned()) */
	bool waits;             /* a start was put off because the term was not sure */
	bool leaves;            /* the daemon ends: a term that comes now is not begun */
	struct gate gate;
};

/* ---- events ---- */

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
	shift->misses = shift->misses || council_is_away_for_long(shift->council);
	if (shift->misses) { /* on_returned() makes the difference fire */
		loners_dispatch(&shift->loners, shift->config, event, NULL);
		return false;
	}
	commit = scribe_begin(&shift->scribe);
	duty = duty_new(shift->config, event);
	duty->commit = commit->number;
	duties_add(&shift->duties, duty);
	shift->making = duty;
	scribe_hold(&shift->scribe);
	/* The dispatch asks may_start() when a place is free: this commit then has the start, too. */
	loners_dispatch(&shift->loners, shift->config, event, duty);
	shift->making = NULL;
	scribe_add_record(commit, duty);
	scribe_drop_old(commit, duty->number);
	council_commit(shift->council, commit);
	scribe_release(&shift->scribe);
	return false;
}

/*
 * Commits what has become of the event's runs, and returns the commit's number. Where the event's own commit is being
 * made, that has it.
 */
static unsigned long commit_runs(struct shift *shift, const struct duty *duty)
{
	return duty == shift->making ? duty->commit : scribe_commit_runs(&shift->scribe, duty);
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

void shift_assigned(struct shift *shift)
{
	if (shift != NULL)
		timer_start(shift->keep, 0);
}

/*
 * Commits changes of pm.state by runs whose end is not written down: heartbeat triggers, code at a console, and what
 * runs while etcd is away. The ends of all others have taken theirs along by now.
 */
static void on_keep(void *data)
{
	struct shift *shift = data;

	if (!shared_has_assignments(shift->scribe.shared))
		return;
	shift->scribe.missed = shift->scribe.missed || council_is_away_for_long(shift->council);
	if (shift->scribe.missed || council_term(shift->council) == 0)
		scribe_drop_values(&shift->scribe);
	else
		scribe_commit_values(&shift->scribe);
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

	if (!event_reading_make(stored->text, strlen(stored->text), monitor_board(shift->scribe.monitor), &record, &why)) {
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
	unsaved_stored(shift->scribe.unsaved, estate->saved, NULL);
	unsaved_all(shift->scribe.unsaved, monitor_fleet(shift->scribe.monitor));
	scribe_send(&shift->scribe, scribe_begin(&shift->scribe));
	scribe_commit_all_values(&shift->scribe, &estate->values);
	log_error("what this monitor knows of the fleet is written to etcd");
}

static void on_acts(void *data, const struct estate *estate)
{
	struct shift *shift = data;

	if (shift->leaves)
		return;
	duties_drop(&shift->duties);
	unsaved_clear(shift->scribe.unsaved);
	shift->standing = shift->scribe.commits;
	shift->misses = false;
	shift->scribe.missed = false;
	if (estate->left_out != NULL)
		log_error("a part of the state in etcd cannot be read and was left out: %s", estate->left_out);
	if (estate->strange != NULL)
		log_error("a value of pm.state in etcd cannot be read and was left out (\"etcdctl del\" drops it): %s",
			  estate->strange);
	shared_open(shift->scribe.shared, estate->seeds ? NULL : &estate->values);
	if (estate->seeds) {
		seed(shift, estate);
		return;
	}
	shift->scribe.monitor = shift->events.restart(shift->data, estate->saved, shift->scribe.unsaved);
	unsaved_stored(shift->scribe.unsaved, estate->saved, shift->config);
	if (estate->saved == NULL) /* nothing of what it begins with is stored yet */
		unsaved_all(shift->scribe.unsaved, monitor_fleet(shift->scribe.monitor));
	for (size_t i = 0; i < estate->events.count; i++)
		take_event(shift, estate->events.items[i]);
}

/* etcd is back: the monitor begins anew from what was committed last, so that what has changed since fires now. */
static void on_returned(void *data, const struct estate *estate)
{
	struct shift *shift = data;

	if (shift->leaves)
		return;
	if (shift->misses) {
		shift->misses = false;
		unsaved_clear(shift->scribe.unsaved);
		shift->scribe.monitor = shift->events.restart(shift->data, estate->saved, shift->scribe.unsaved);
	}
	if (shift->scribe.missed)
		scribe_commit_all_values(&shift->scribe, &estate->values);
}

static void on_stands_by(void *data, const char *why)
{
	struct shift *shift = data;

	shift->misses = false;
	shared_shut(shift->scribe.shared);
	duties_drop(&shift->duties); /* how they end the next monitor finds out */
	unsaved_clear(shift->scribe.unsaved);
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
	shift->scribe = (struct scribe){ .clock = start->clock, .shared = start->shared, .monitor = start->monitor };
	shift->dispatch = start->dispatch;
	shift->loners = (struct loners){ .others = start->dispatch, .alone = start->alone };
	shift->events = *start->events;
	shift->data = start->data;
	shift->scribe.unsaved = unsaved_new();
	shift->look = timer_new(start->loop, on_look, shift);
	shift->keep = timer_new(start->loop, on_keep, shift);
	shift->gate = (struct gate){ .may_start = may_start, .data = shift };
	shift->council = council_new(&council);
	if (shift->council == NULL) {
		(void)shift_free(&shift);
		return NULL;
	}
	shift->scribe.council = shift->council;
	dispatch_set_gate(shift->dispatch, &shift->gate);
	shift->headcount = headcount_new(start->loop, shift->council, &shift->scribe.monitor);
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
	shift->scribe.monitor = NULL;
	shift->leaves = true;
	shared_leave(shift->scribe.shared);
}

bool shift_free(struct shift **shift_p)
{
	struct shift *shift = *shift_p;

	*shift_p = NULL;
	if (shift == NULL)
		return true;
	dispatch_set_gate(shift->dispatch, NULL);
	headcount_free(&shift->headcount);
	if (shift->council != NULL)
		on_keep(shift); /* its timer fires no more: commits what runs have changed that ended in this turn */
	timer_stop(shift->keep);
	timer_stop(shift->look);
	if (!council_free(&shift->council))
		return false;
	duties_drop(&shift->duties);
	scribe_end(&shift->scribe);
	timer_free(&shift->look);
	timer_free(&shift->keep);
	config_unref(&shift->config);
	free(shift);
	return true;
}
