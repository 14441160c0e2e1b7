#include "daemon/watching.h"

#include <stdio.h>

#include "base/log.h"
#include "daemon/fits.h"
#include "daemon/hushing.h"
#include "daemon/measured.h"
#include "daemon/voting.h"
#include "monitor/live.h"
#include "records/records.h"
#include "system/notify.h"

/* how long, beside the lease's time, a start waits until etcd has confirmed the monitor's name */
#define SETTLE_MS 2000

static void on_changed(void *data)
{
	struct daemon *daemon = data;

	outlook_changed(daemon->outlook);
}

/* Shows the event to people. With several monitors etcd has stored it by now. */
static void show(void *data, struct event *event)
{
	struct daemon *daemon = data;
	struct log_about about = {
		.event = event_kind_name(event->kind),
		.event_id = event->id,
		.has_cluster = true,
		.cluster_id = event->cluster_id,
	};

	if (daemon->monitor == NULL)
		return; /* the daemon ends */
	if (event->kind == EVENT_PLUSMOIN_UP)
		log_line(LOG_LEVEL_INFO, &about, "watching: %zu master, %zu slaves, %zu lost",
			 event->view->masters, event->view->slaves, event->view->lost);
	recent_add(&daemon->recent, event, monitor_fleet(daemon->monitor));
	outlook_fired(daemon->outlook, event);
}

/* Shows the event, with the outcomes of runs that ended before it was stored. */
static void on_committed(void *data, const struct event_record *record)
{
	struct daemon *daemon = data;

	show(daemon, record->event);
	for (size_t i = 0; i < record->run_count; i++) {
		const struct event_run *run = &record->runs[i];

		if (run->state == EVENT_RUN_DONE)
			recent_tell(&daemon->recent, record->event, run->trigger, run->outcome);
	}
}

static void on_fired(void *data, struct event *event)
{
	struct daemon *daemon = data;

	if (event->kind != EVENT_HEARTBEAT)
		quiet_mark(daemon->quiet, event);
	if (!shift_fired(daemon->shift, event))
		return;
	show(daemon, event);
	dispatch_event(daemon->dispatch, event);
}

static void on_started(void *data, const struct event *event, const char *path)
{
	struct daemon *daemon = data;

	outlook_started(daemon->outlook, event, path);
}

static void on_told(void *data, const struct event *event, const char *path, const char *how)
{
	struct daemon *daemon = data;

	recent_tell(&daemon->recent, event, path, how);
	outlook_told(daemon->outlook, event, path, how);
}

static void on_ended(void *data, const struct event *event, const char *path, enum action_end end, const char *how)
{
	struct daemon *daemon = data;

	if (end == ACTION_SILENCED)
		recent_silence(&daemon->recent, event, how);
	shift_ended(daemon->shift, event, path, end, how);
}

/* ---- the monitor ---- */

static struct monitor *make_monitor(struct daemon *daemon, const struct saved *saved, struct unsaved *unsaved)
{
	static const struct monitor_events events = { .fired = on_fired, .changed = on_changed };
	const struct monitor_start start = {
		.loop = &daemon->loop,
		.config = daemon->config,
		.clock = &daemon->clock,
		.prober = &live_prober,
		.saved = saved,
		.unsaved = unsaved,
		.events = &events,
		.data = daemon,
		.meters = &daemon->meters,
		.jury = voting_begin(daemon),
	};

	return monitor_new(&start);
}

static struct monitor *on_restart(void *data, const struct saved *saved, struct unsaved *unsaved)
{
	struct daemon *daemon = data;
	const struct saved *from = saved != NULL ? saved : daemon->inherited;

	if (saved == NULL && from != NULL) {
		log_error("etcd holds nothing yet: what the state file holds is taken over");
		hushing_inherit(daemon);
	}
	outlook_watch(daemon->outlook, NULL);
	monitor_free(&daemon->monitor);
	voting_act(daemon);
	daemon->monitor = make_monitor(daemon, from, unsaved);
	saved_free(&daemon->inherited);
	requests_watch(&daemon->requests, daemon->monitor);
	outlook_watch(daemon->outlook, daemon->monitor);
	return daemon->monitor;
}

/* ---- several monitors ---- */

/* Tells who has started the daemon that it is up, if that was not done. */
static void settle(struct daemon *daemon)
{
	timer_free(&daemon->settle);
	outlook_settle(daemon->outlook);
	if (daemon->up == NULL)
		return;
	daemon->up(daemon->up_data);
	daemon->up = NULL;
	notify_ready();
	outlook_tell_systemd(daemon->outlook);
}

static void on_settle_time(void *data)
{
	struct daemon *daemon = data;

	if (daemon->up != NULL)
		log_error("etcd has not said yet whether another monitor acts: this one observes, and runs nothing until it does");
	settle(daemon);
}

static void on_in(void *data)
{
	settle(data);
}

static void on_taken(void *data, const char *name, const char *host)
{
	struct daemon *daemon = data;

	log_error("another monitor is called %s, on host %s: this one ends; each needs a name of its own (monitors.name)",
		  name, host);
	if (daemon->up != NULL)
		(void)fprintf(stderr, "plusmoin: another monitor is called %s, on host %s; each needs a name of its own"
			      " (monitors.name)\n", name, host);
	daemon->status = 1;
	daemon->end(daemon);
}

static void on_stands(void *data)
{
	struct daemon *daemon = data;

	voting_act(daemon);
	measured_stand(&daemon->meters, shift_council(daemon->shift));
	daemon->requests.monitors_generation++;
	outlook_stand(daemon->outlook, council_words(shift_council(daemon->shift)));
}

static const struct shift_events shift_events = {
	.restart = on_restart,
	.committed = on_committed,
	.changed = on_stands,
	.in = on_in,
	.taken = on_taken,
};

/* Joins the other monitors, where there are some. False, after a message: it cannot. */
static bool join_others(struct daemon *daemon)
{
	const struct shift_start start = {
		.loop = &daemon->loop,
		.config = daemon->config,
		.clock = &daemon->clock,
		.monitor = daemon->monitor,
		.dispatch = daemon->dispatch,
		.alone = daemon->alone,
		.shared = daemon->shared,
		.polls = &voting_polls,
		.polls_data = daemon,
		.hush = &hushing_events,
		.hush_data = daemon,
		.events = &shift_events,
		.data = daemon,
	};

	if (daemon->config->monitors.etcd_count == 0)
		return true;
	shared_track(daemon->shared);
	daemon->shift = shift_new(&start);
	if (daemon->shift == NULL) {
		(void)fputs("plusmoin: the thread that talks with etcd cannot start\n", stderr);
		return false; /* without it this monitor would act beside the others */
	}
	measured_stand(&daemon->meters, shift_council(daemon->shift));
	daemon->settle = timer_new(&daemon->loop, on_settle_time, daemon);
	timer_start(daemon->settle, daemon->config->monitors.ttl_ms + SETTLE_MS);
	return true;
}

static void render_monitors(void *data, struct json *json)
{
	struct daemon *daemon = data;

	council_render(shift_council(daemon->shift), json);
}

static void render_short(void *data, struct json *json)
{
	struct daemon *daemon = data;

	council_render_short(shift_council(daemon->shift), json);
}

static const char *resign(void *data)
{
	struct daemon *daemon = data;
	struct council *council = shift_council(daemon->shift);

	if (council_term(council) == 0)
		return "this monitor does not act: it stands by";
	council_resign(council);
	return NULL;
}

static const char *seed(void *data)
{
	struct daemon *daemon = data;

	return council_seed(shift_council(daemon->shift));
}

void watching_answers(struct requests *requests)
{
	requests->monitors = render_monitors;
	requests->monitors_short = render_short;
	requests->resign = resign;
	requests->seed = seed;
}

/* ---- the start ---- */

static void start_monitor(struct daemon *daemon)
{
	daemon->inherited = records_read(daemon->config);
	if (daemon->config->monitors.etcd_count > 0) { /* it only observes yet */
		daemon->monitor = make_monitor(daemon, NULL, NULL);
		return;
	}
	hushing_inherit(daemon);
	daemon->monitor = make_monitor(daemon, daemon->inherited, NULL);
	saved_free(&daemon->inherited);
}

static struct dispatch *make_dispatch(struct daemon *daemon)
{
	static const struct dispatch_events runs = { .started = on_started, .told = on_told, .ended = on_ended };
	struct dispatch *dispatch = dispatch_new(&daemon->loop, daemon->config, hosts_runner(daemon->hosts));

	dispatch_tell(dispatch, &runs, daemon);
	dispatch_measure(dispatch, &daemon->meters);
	dispatch_set_silences(dispatch, quiet_all(daemon->quiet));
	dispatch_number(dispatch, &daemon->run_numbers);
	return dispatch;
}

bool watching_begin(struct daemon *daemon)
{
	fits_say(daemon->config);
	measured_load(&daemon->meters, true);
	daemon->tidy = tidy_new(&daemon->loop);
	tidy_soon(daemon->tidy);
	hushing_begin(daemon);
	daemon->dispatch = make_dispatch(daemon);
	if (daemon->config->monitors.etcd_count > 0)
		daemon->alone = make_dispatch(daemon);
	start_monitor(daemon);
	return join_others(daemon);
}

void watching_is_up(struct daemon *daemon)
{
	if (daemon->settle == NULL)
		settle(daemon);
}
