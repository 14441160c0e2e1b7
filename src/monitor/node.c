#include "monitor/node.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "monitor/door.h"
#include "monitor/gates.h"
#include "monitor/measure.h"
#include "monitor/tell.h"

struct watch *watch_of(const struct watches *all, const struct node *node)
{
	return all->by_order[node->order];
}

bool watch_is_busy(const struct watch *watch)
{
	return watch->pass.state == PASS_WAITS || watch->all->prober->is_busy(watch->probe);
}

static void begin_look(void *data)
{
	struct watch *watch = data;
	const struct prober *prober = watch->all->prober;
	struct node *node = watch->node;
	struct beat_order order;
	struct moment now;
	bool at_stake;

	now = clock_now(watch->all->clock);
	watch->asked_ms = now.steady_ms;
	measure_look(watch);
	watch->late_ms = INT64_MIN;
	watch->is_void = false;
	at_stake = node_is_at_stake(watch->all->fleet, node, &now);
	if (node->place != PLACE_MASTER) {
		prober->look(watch->probe, NULL, at_stake);
		return;
	}
	order = fleet_beat_order(node->cluster, node, &now);
	prober->look(watch->probe, &order, at_stake);
}

/* How urgent a look is. A node's first connect, and one that a reload wants, cannot cost the node its place. */
static enum pass_kind kind_of_pass(const struct watch *watch)
{
	struct moment now = clock_now(watch->all->clock);

	if (!watch->all->prober->needs_connect(watch->probe))
		return PASS_QUESTION;
	if (watch->asked_ms == 0 || watch->anew)
		return PASS_PLAIN;
	return node_is_at_stake(watch->all->fleet, watch->node, &now) ? PASS_URGENT : PASS_PLAIN;
}

void watch_look(struct watch *watch)
{
	struct throttle *throttle = watch->all->throttle;

	if (watch_is_busy(watch) || watch->aside != NULL)
		return;
	throttle_leave(throttle, &watch->pass); /* the pass of a connect that was given up */
	if (throttle_take(throttle, &watch->pass, kind_of_pass(watch), begin_look, watch))
		begin_look(watch);
}

bool watch_is_left_alone(const struct watch *watch)
{
	struct moment now;

	if (!pause_is_set(&watch->pause) || !timer_is_set(watch->retry))
		return false;
	now = clock_now(watch->all->clock);
	return !node_is_at_stake(watch->all->fleet, watch->node, &now);
}

void watch_beat(struct watch *watch, const struct beat_order *order)
{
	watch->all->prober->beat(watch->probe, order);
}

static void on_retry(void *data)
{
	watch_look(data);
}

/* Whether the node has neither answered nor failed. */
static bool is_unheard_of(const struct node *node)
{
	return !node->known && node->failure.attempts == 0;
}

bool watch_is_logging_in(const struct watch *watch)
{
	return is_unheard_of(watch->node) && watch->all->prober->is_logging_in(watch->probe);
}

/* Whether the node is lost, clusterless, failing or was not seen, or a slave whose seat is empty or failing. */
static bool needs_retry(const struct watch *watch)
{
	const struct node *node = watch->node;
	const struct node *holder;

	if (watch->all->quiet || (watch->all->starts && node->known && !node_is_failing(node)))
		return false;
	if (watch->unseen || node->place == PLACE_CLUSTERLESS || node->place == PLACE_LOST || node_is_failing(node))
		return true;
	if (node->place != PLACE_SLAVE || node->cluster == NULL)
		return false;
	holder = node->cluster->seat;
	return holder == NULL || node_is_failing(holder);
}

static int64_t retry_wait(const struct watch *watch)
{
	struct moment now = clock_now(watch->all->clock);
	int64_t wait_ms = node_pause_length(watch->all->fleet, watch->node, &watch->pause, &now);

	/* a failing node waits from the end of its last attempt on, any other from its begin on */
	if (!node_is_failing(watch->node))
		wait_ms -= now.steady_ms - watch->asked_ms;
	return wait_ms > 1 ? wait_ms : 1;
}

void watch_plan(struct watch *watch)
{
	int64_t ends_ms = node_grace_ends(watch->all->fleet, watch->node);

	if (ends_ms == INT64_MAX)
		deadline_stop(&watch->grace);
	else if (ends_ms > clock_steady_ms()) /* else the next failure counts */
		deadline_start(&watch->grace, ends_ms - clock_steady_ms());
	if (!needs_retry(watch))
		timer_free(&watch->retry); /* most nodes need none for years */
	else if (!timer_is_set(watch->retry) && !watch_is_busy(watch))
		timer_set(&watch->retry, watch->all->loop, on_retry, watch, retry_wait(watch));
}

void watches_plan(const struct watches *all)
{
	for (size_t i = 0; i < all->count; i++)
		watch_plan(all->by_order[i]);
}

void watch_plan_cluster(const struct watches *all, const struct cluster *cluster)
{
	for (size_t i = 0; i < cluster->members.count; i++)
		watch_plan(watch_of(all, cluster->members.items[i]));
}

/* ---- what the prober reports ---- */

/*
 * Begins or ends the pause after a refusal. A fault of our own says nothing of the server, and changes nothing. Where
 * the kept connection has ended the pause of fresh connections goes on.
 */
static void note_words(struct watch *watch, const struct observation *seen, int64_t now_ms)
{
	if (!seen->kept && pause_is_set(&watch->door_pause))
		watch->pause = watch->door_pause;
	if (seen->kind == OBSERVED_FAILURE && reason_is_said(seen->reason) && !seen->harmless)
		pause_hear(&watch->pause, seen->reason, seen->message, now_ms);
	else if (seen->kind != OBSERVED_NOTHING)
		pause_forget(&watch->pause);
}

static void take_in(struct watch *watch, const struct observation *seen)
{
	struct watches *all = watch->all;
	struct moment now = clock_now(all->clock);
	bool first = is_unheard_of(watch->node);
	bool heard = watch->node->known;

	note_words(watch, seen, now.steady_ms);
	timer_stop(watch->retry);
	watch->unseen = seen->kind == OBSERVED_NOTHING && !seen->kept;
	if (!seen->kept || seen->door.reason == REASON_NONE) /* the kept one ended, or a fresh one succeeded */
		door_forget(watch);
	node_observe(all->fleet, watch->node, seen, &now);
	if (watch->node->kin.system_before != 0)
		tell_other_server(watch->node);
	watch->node->kin.system_before = 0;
	if (trouble_tell(&watch->trouble, watch->node, heard))
		all->events->changed(all->data);
	all->events->seen(all->data, watch, first, &now);
}

void watch_put_aside(struct watch *watch, const struct observation *seen)
{
	watch_drop_aside(watch);
	watch->aside = mem_alloc(sizeof(*seen));
	*watch->aside = *seen;
	timer_stop(watch->retry);
}

void watch_drop_aside(struct watch *watch)
{
	free(watch->aside);
	watch->aside = NULL;
}

void watch_take_nothing(struct watch *watch, const struct observation *seen)
{
	const struct observation nothing = {
		.kind = OBSERVED_NOTHING,
		.kept = seen->kept,
		.kept_ended_ms = seen->kept_ended_ms,
	};

	watch_drop_aside(watch);
	take_in(watch, &nothing);
}

void watch_take_aside(struct watch *watch)
{
	struct observation *seen = watch->aside;

	watch->aside = NULL;
	if (seen != NULL && gates_admit(watch, seen, watch->aside_of))
		take_in(watch, seen);
	free(seen);
}

/* A fresh connection that fails on the way to the host counts only once another host was heard after it. */
void watch_saw(struct watch *watch, const struct observation *seen)
{
	struct observation open;

	if (!gates_admit(watch, seen, NULL))
		return;
	watch_drop_aside(watch);
	if (seen->door.reason == REASON_NONE || !seen->door.path || watch->door_way == DOOR_OWN) {
		take_in(watch, seen);
		return;
	}
	open = *seen;
	open.door.reason = REASON_NONE;
	take_in(watch, &open);
}

static void on_seen(void *data, const struct observation *seen)
{
	measure_seen(data, seen);
	watch_saw(data, seen);
}

static void on_late(void *data)
{
	gates_late(data);
}

static void on_heard(void *data, const struct hearing *hearing)
{
	gates_heard(data, hearing);
}

static void on_beaten(void *data, const struct beat_result *result)
{
	struct watch *watch = data;

	measure_beaten(watch, result);
	watch->all->events->beaten(watch->all->data, watch, result);
}

/* Forgets a refusal: the connection over which it came has ended, or the door has opened or shut since. */
static void on_broke(void *data)
{
	struct watch *watch = data;

	pause_forget(&watch->pause);
	watch->all->events->worth_a_look(watch->all->data, watch);
}

/* A connect got through in the background: the node is asked, a round opens if that matters. */
static void on_connected(void *data)
{
	watch_look(data);
}

static void on_refreshed(void *data, const struct evidence *failure)
{
	struct watch *watch = data;
	bool is_news = door_refreshed(watch, failure);

	if (failure != NULL && failure->path && watch->door_way != DOOR_OWN)
		gates_door_of_path(watch);
	else if (is_news)
		on_broke(watch);
}

static void on_tried(void *data, bool kept, const struct evidence *failure)
{
	struct watch *watch = data;
	struct watches *all = watch->all;

	measure_tried(watch);
	throttle_leave(all->throttle, &watch->pass);
	lacks_note(&all->lacks, &watch->lack, watch->node->config->name, kept, failure,
		   clock_now(all->clock).wall_ms);
}

static void on_remark(void *data, enum log_level level, const char *text)
{
	const struct watch *watch = data;
	struct log_about about = { .node = watch->node->config->name };

	log_line(level, &about, "%s", text);
}

static const struct probe_events node_probe_events = {
	.late = on_late,
	.heard = on_heard,
	.seen = on_seen,
	.beaten = on_beaten,
	.broke = on_broke,
	.connected = on_connected,
	.refreshed = on_refreshed,
	.tried = on_tried,
	.remark = on_remark,
};

/* ---- timers ---- */

static void on_grace(void *data)
{
	struct watch *watch = data;

	if (node_is_failing(watch->node))
		watch->all->events->grace_ended(watch->all->data, watch);
}

/* ---- as nodes come and go ---- */

static void make_probe(struct watch *watch, const void *before)
{
	const struct watches *all = watch->all;

	watch->probe = all->prober->make(all->probes, all->config, watch->node->config, before,
					 &node_probe_events, watch);
}

static struct watch *watch_new(struct watches *all, struct node *node)
{
	struct watch *watch = mem_zalloc(1, sizeof(*watch));

	watch->all = all;
	watch->node = node;
	watch->late_ms = INT64_MIN;
	make_probe(watch, NULL);
	deadline_init(&watch->grace, all->deadlines, on_grace, watch);
	return watch;
}

static void watch_free(struct watch *watch)
{
	gates_left(watch);
	watch->all->prober->knock_end(watch->knock);
	watch->all->prober->knock_end(watch->way);
	watch->all->prober->end(watch->probe);
	throttle_leave(watch->all->throttle, &watch->pass);
	watch_drop_aside(watch);
	timer_free(&watch->retry);
	deadline_stop(&watch->grace);
	door_close(watch);
	lacks_leave(&watch->all->lacks, &watch->lack);
	free(watch);
}

static void reload_watch(struct watch *watch)
{
	const struct prober *prober = watch->all->prober;
	void *before = watch->probe;

	pause_forget(&watch->pause);
	timer_stop(watch->retry);
	deadline_stop(&watch->grace);
	if (watch->anew) {
		throttle_leave(watch->all->throttle, &watch->pass);
		door_forget(watch);
		make_probe(watch, before);
		prober->end(before);
	} else {
		door_knock(watch);
		prober->set_config(watch->probe, watch->all->config, watch->node->config);
	}
}

/* Frees removed nodes and their watches; they have kept the order that they had. */
static void free_removed(struct watches *all, struct list *removed)
{
	struct node *node;

	while ((node = list_shift(removed)) != NULL) {
		watch_free(all->by_order[node->order]);
		all->by_order[node->order] = NULL;
		node_free(&node);
	}
}

void watches_reload(struct watches *all, struct list *removed)
{
	const struct fleet *fleet = all->fleet;
	struct watch **before = all->by_order;
	size_t count = all->count;

	free_removed(all, removed);
	all->count = fleet->node_count;
	all->by_order = mem_zalloc(all->count, sizeof(struct watch *));
	for (size_t i = 0; i < count; i++) {
		if (before[i] != NULL)
			all->by_order[before[i]->node->order] = before[i];
	}
	free(before);
	for (size_t i = 0; i < all->count; i++) {
		struct watch **watch = &all->by_order[i];

		if (*watch != NULL) {
			reload_watch(*watch);
			continue;
		}
		*watch = watch_new(all, fleet->nodes[i]);
		(*watch)->anew = true;
	}
}

void watches_open(struct watches *all)
{
	all->deadlines = deadlines_new(all->loop);
	all->throttle = throttle_new(all->loop);
	all->probes = all->prober->open(all->loop, all->deadlines);
	all->count = all->fleet->node_count;
	all->by_order = mem_zalloc(all->count, sizeof(struct watch *));
	for (size_t i = 0; i < all->count; i++)
		all->by_order[i] = watch_new(all, all->fleet->nodes[i]);
	doors_open(all);
}

void watches_close(struct watches *all)
{
	for (size_t i = 0; i < all->count; i++)
		watch_free(all->by_order[i]);
	free(all->by_order);
	timer_free(&all->refresh);
	throttle_free(&all->throttle);
	all->prober->close(all->probes);
	deadlines_free(&all->deadlines);
}
