/*
 * Wires the parts of the monitor, and alone knows all of them. What reports here, and in which order it is
 * handled: a look (the door, then the founding or a round, then timers), a beat, the end of a round or
 * of a founding (log lines, events, groups that begin and end, timers), a reload.
 */
#include "monitor/monitor.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "monitor/door.h"
#include "monitor/isolation.h"
#include "monitor/jury.h"
#include "monitor/kept.h"
#include "monitor/publisher.h"
#include "monitor/reload.h"
#include "monitor/rivals.h"
#include "monitor/stall.h"
#include "monitor/witness.h"

struct monitor {
	struct fleet *fleet;
	struct watches watches;
	struct seats seats;
	struct clusters clusters;
	struct founding founding;
	struct isolation isolation;
	struct jury *jury; /* the owner's */
	struct publisher publisher;
	struct kept kept;
	struct rivals rivals;
	struct config *pending;     /* reload_timer goes over to it, so that no call does */
	struct timer *reload_timer;
	struct stall stall;
};

static struct group *group_of(struct monitor *monitor, const struct node *node)
{
	return clusters_group(&monitor->clusters, node->cluster);
}

static void changed(void *data)
{
	struct monitor *monitor = data;

	publish_changed(&monitor->publisher);
}

static void plan_changed(struct monitor *monitor, const struct changes *changes)
{
	for (size_t i = 0; i < changes->count; i++)
		watch_plan(watch_of(&monitor->watches, changes->items[i].node));
}

/* ---- what watches report ---- */

/* Notes a master that answers its first attempt later than those that found at once (cluster-rules.md, "Start"). */
static void note_in_time(struct monitor *monitor, const struct watch *watch)
{
	if (watch->at_start && watch->node->seen.kind == OBSERVED_MASTER &&
	    !founding_is_blind(&monitor->founding))
		watch->node->in_time = true;
}

static void on_seen(void *data, struct watch *watch, bool first, const struct moment *now)
{
	struct monitor *monitor = data;
	struct node *node = watch->node;

	kept_judge(&monitor->kept, watch, now);
	if (first)
		note_in_time(monitor, watch);
	if (monitor->founding.phase != FOUNDING_OVER)
		founding_saw(&monitor->founding, watch, first);
	if (!founding_is_blind(&monitor->founding) &&
	    !(node->cluster != NULL && node->cluster->starting))
		group_saw(group_of(monitor, node), watch);
	if (node->place == PLACE_MASTER && node_is_failing(node)) /* its slaves are asked more often */
		watch_plan_cluster(&monitor->watches, node->cluster);
	watch_plan(watch);
	rivals_saw(&monitor->rivals, node, now);
}

static void on_beaten(void *data, struct watch *watch, const struct beat_result *result)
{
	struct monitor *monitor = data;

	if (!founding_beaten(&monitor->founding, watch, result))
		group_beaten(group_of(monitor, watch->node), result);
	watch_plan(watch);
}

static void on_worth_a_look(void *data, struct watch *watch)
{
	struct monitor *monitor = data;
	const struct cluster *cluster = watch->node->cluster;

	if (founding_is_blind(&monitor->founding) || cluster == NULL || cluster->starting)
		watch_look(watch);
	else
		group_want_round(group_of(monitor, watch->node), false);
}

static void on_grace_ended(void *data, struct watch *watch)
{
	struct monitor *monitor = data;

	group_want_round(group_of(monitor, watch->node), false);
}

static const struct watch_events watch_events = {
	.seen = on_seen,
	.beaten = on_beaten,
	.worth_a_look = on_worth_a_look,
	.grace_ended = on_grace_ended,
	.changed = changed,
};

/* ---- what rounds report ---- */

static void on_founded_by_round(void *data, struct group *group, struct cluster *cluster)
{
	struct monitor *monitor = data;

	group_bear(group, clusters_add(&monitor->clusters, cluster));
}

static void on_ended(void *data, struct group *group, struct changes *changes, bool regular)
{
	struct monitor *monitor = data;
	const struct cluster *cluster = group->cluster;
	bool lives = cluster != NULL && cluster->members.count > 0;

	if (lives)
		watch_plan_cluster(&monitor->watches, cluster);
	publish_changes(&monitor->publisher, changes);
	clusters_begin_born(group);
	clusters_drop_empty(&monitor->clusters);
	plan_changed(monitor, changes);
	if (!lives)
		return;
	kept_judge_all(&monitor->kept, cluster);
	if (regular)
		publish_heartbeat(&monitor->publisher, cluster);
}

static const struct seats_events seats_events = {
	.founded = on_founded_by_round,
	.ended = on_ended,
};

/* ---- what the founding reports ---- */

static void on_restored(void *data)
{
	struct monitor *monitor = data;

	for (size_t i = 0; i < monitor->fleet->clusters.count; i++)
		clusters_add(&monitor->clusters, monitor->fleet->clusters.items[i])->restored = true;
	monitor->clusters.clusterless.restored = true;
	for (size_t i = 0; i < monitor->fleet->clusters.count; i++)
		publish_event(&monitor->publisher, EVENT_PLUSMOIN_UP, monitor->fleet->clusters.items[i], NULL);
}

/* Lets rounds open from now on, at once in each group; `runs`: also begins the regular ones. */
static void open_eyes(struct monitor *monitor, bool runs)
{
	monitor->seats.blind = false;
	clusters_want_rounds(&monitor->clusters, runs);
	watches_plan(&monitor->watches);
}

static void on_sighted(void *data)
{
	struct monitor *monitor = data;

	monitor->isolation.is_blind = false;
	open_eyes(monitor, true);
}

static bool on_unheard(void *data)
{
	struct monitor *monitor = data;
	const struct founding *founding = &monitor->founding;

	if (monitor->isolation.heard || monitor->isolation.acts || !isolation_is_possible(&monitor->isolation))
		return false;
	if (founding->unheard_of == 0 && founding->elapsed_ms >= monitor->watches.config->query_timeout_ms)
		isolation_begin(&monitor->isolation);
	return true;
}

static void on_answered(void *data)
{
	struct monitor *monitor = data;

	monitor->seats.blind = false;
	monitor->isolation.is_blind = false;
	group_pause(&monitor->clusters.clusterless, monitor->founding.attempt_count > 0);
	watches_plan(&monitor->watches);
	group_run(&monitor->clusters.clusterless);
	changed(monitor);
}

static void on_founded(void *data, struct changes *changes)
{
	struct monitor *monitor = data;

	for (size_t i = 0; i < changes->count; i++) {
		if (changes->items[i].rule == RULE_U2) /* the cluster needs beats while it waits for its slaves */
			group_run(clusters_add(&monitor->clusters, changes->items[i].to));
	}
	publish_changes(&monitor->publisher, changes);
	plan_changed(monitor, changes);
}

static void on_all_founded(void *data)
{
	struct monitor *monitor = data;

	group_pause(&monitor->clusters.clusterless, false);
}

static void on_up(void *data, struct cluster *cluster, struct changes *changes)
{
	struct monitor *monitor = data;
	struct group *group = clusters_group(&monitor->clusters, cluster);

	publish_changes(&monitor->publisher, changes);
	publish_event(&monitor->publisher, EVENT_PLUSMOIN_UP, cluster, NULL);
	group_run(group);
	watch_plan_cluster(&monitor->watches, cluster);
	if (cluster->seat == NULL)
		return;
	if (cluster->seat->failure.attempts == 0)
		node_forget(cluster->seat); /* the rounds ask it anew */
	else
		group_want_round(group, false);
}

static const struct founding_events founding_events = {
	.unheard = on_unheard,
	.restored = on_restored,
	.sighted = on_sighted,
	.answered = on_answered,
	.founded = on_founded,
	.all_founded = on_all_founded,
	.up = on_up,
};

/* ---- what the isolation reports (P7) ---- */

static void on_cut_off(void *data, bool fires)
{
	struct monitor *monitor = data;

	monitor->seats.blind = true;
	founding_stand_still(&monitor->founding);
	jury_cut_off(monitor->jury);
	tell_isolated(monitor->fleet, fires);
	if (fires)
		publish_event(&monitor->publisher, EVENT_MONITOR_ISOLATED, NULL, NULL);
	changed(monitor);
}

static void on_acts(void *data)
{
	struct monitor *monitor = data;

	bool starts = founding_is_blind(&monitor->founding);

	founding_go_on(&monitor->founding);
	if (!starts)
		open_eyes(monitor, false);
	changed(monitor);
}

static void on_reconnected(void *data, bool fires)
{
	struct monitor *monitor = data;

	tell_reconnected(fires);
	if (fires)
		publish_event(&monitor->publisher, EVENT_MONITOR_RECONNECTED, NULL, NULL);
	on_acts(monitor);
}

static const struct isolation_events isolation_events = {
	.began = on_cut_off,
	.acts = on_acts,
	.ended = on_reconnected,
};

/* ---- a reload ---- */

static void on_reload_time(void *data)
{
	struct monitor *monitor = data;
	struct config *next = monitor->pending;
	struct reload reload = {
		.watches = &monitor->watches,
		.clusters = &monitor->clusters,
		.founding = &monitor->founding,
		.unsaved = monitor->publisher.unsaved,
	};

	monitor->pending = NULL;
	isolation_before_reload(&monitor->isolation);
	reload_take(&reload, next);
	clusters_drop_empty(&monitor->clusters);
	reload_look(&reload);
	doors_plan(&monitor->watches);
	changed(monitor);
}

void monitor_reload(struct monitor *monitor, struct config *config)
{
	config_unref(&monitor->pending);
	monitor->pending = config_ref(config);
	timer_start(monitor->reload_timer, 0);
}

/* ---- for the daemon ---- */

const struct fleet *monitor_fleet(const struct monitor *monitor)
{
	return monitor->fleet;
}

struct board *monitor_board(struct monitor *monitor)
{
	board_update(&monitor->publisher.teller.board, monitor->fleet);
	return monitor->publisher.teller.board;
}

bool monitor_has_started(const struct monitor *monitor)
{
	return monitor->founding.phase == FOUNDING_OVER;
}

const struct lacks *monitor_lacks(const struct monitor *monitor)
{
	return &monitor->watches.lacks;
}

void monitor_stands(struct monitor *monitor)
{
	for (size_t i = 0; monitor != NULL && i < monitor->fleet->node_count; i++) {
		struct node *node = monitor->fleet->nodes[i];

		if (node->kept)
			node->stood_ms = clock_steady_ms();
	}
}

bool monitor_save(const struct monitor *monitor, const struct silences *silences, struct buf *out)
{
	struct moment now = clock_now(monitor->watches.clock);

	if (monitor->founding.phase != FOUNDING_OVER || clusters_are_judging(&monitor->clusters))
		return false;
	saved_render(monitor->fleet, monitor->publisher.teller.event_count, silences, &now, out);
	return true;
}

void monitor_render_meta(const struct monitor *monitor, struct buf *out)
{
	saved_keys_render_meta(monitor->fleet, monitor->publisher.teller.event_count, out);
}

/* Opens the parts, each after those that it uses. */
static void open_rooms(struct monitor *monitor, const struct monitor_start *start)
{
	monitor->watches = (struct watches){
		.loop = start->loop,
		.clock = start->clock,
		.config = config_ref(start->config),
		.fleet = monitor->fleet,
		.prober = start->prober,
		.events = &watch_events,
		.data = monitor,
		.meters = start->meters,
	};
	watches_open(&monitor->watches);
	isolation_open(&monitor->isolation, &monitor->watches, &isolation_events, monitor);
	monitor->jury = jury_open(start->jury, &monitor->watches);
	witness_open(&monitor->watches);
	monitor->seats = (struct seats){
		.watches = &monitor->watches,
		.events = &seats_events,
		.data = monitor,
		.blind = true,
	};
	clusters_open(&monitor->clusters, &monitor->seats);
	rivals_open(&monitor->rivals, &monitor->founding, &monitor->clusters, &monitor->publisher);
	monitor->founding = (struct founding){
		.watches = &monitor->watches,
		.events = &founding_events,
		.data = monitor,
	};
}

struct monitor *monitor_new(const struct monitor_start *start)
{
	struct monitor *monitor = mem_zalloc(1, sizeof(*monitor));
	struct moment now = clock_now(start->clock);

	monitor->fleet = fleet_new(start->config, &now);
	monitor->publisher = (struct publisher){
		.events = *start->events,
		.data = start->data,
		.clusters = &monitor->clusters,
		.unsaved = start->unsaved,
		.teller = { .fleet = monitor->fleet, .board = board_new(), .start_s = now.wall_ms / 1000 },
	};
	if (start->saved != NULL) {
		saved_restore(monitor->fleet, start->saved, &now);
		monitor->publisher.teller.event_count = start->saved->event_count;
	}
	monitor->kept = (struct kept){ .publisher = &monitor->publisher, .founding = &monitor->founding };
	open_rooms(monitor, start);
	monitor->reload_timer = timer_new(start->loop, on_reload_time, monitor);
	stall_begin(&monitor->stall, start->loop, monitor->watches.deadlines, start->meters);
	founding_begin(&monitor->founding);
	return monitor;
}

void monitor_free(struct monitor **monitor_p)
{
	struct monitor *monitor = *monitor_p;

	*monitor_p = NULL;
	if (monitor == NULL)
		return;
	isolation_close(&monitor->isolation);
	jury_close(monitor->jury);
	rivals_close(&monitor->rivals);
	founding_end(&monitor->founding);
	clusters_close(&monitor->clusters);
	watches_close(&monitor->watches);
	stall_end(&monitor->stall);
	timer_free(&monitor->reload_timer);
	config_unref(&monitor->pending);
	board_unref(&monitor->publisher.teller.board);
	fleet_free(&monitor->fleet);
	config_unref(&monitor->watches.config);
	free(monitor);
}
