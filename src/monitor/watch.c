/* A node's probe, its retries, its grace; the monitor's own stalls. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "monitor/internal.h"

struct moment monitor_now(const struct monitor *monitor)
{
	return clock_now(monitor->clock);
}

const struct fleet *monitor_fleet(const struct monitor *monitor)
{
	return monitor->fleet;
}

void watch_look(struct watch *watch)
{
	struct node *node = watch->node;
	struct beat_order order;
	struct moment now;

	if (probe_is_busy(watch->probe))
		return;
	now = monitor_now(watch->monitor);
	watch->asked_ms = now.steady_ms;
	if (node->place != PLACE_MASTER) {
		probe_look(watch->probe, NULL);
		return;
	}
	order = fleet_beat_order(node->cluster, node, &now);
	probe_look(watch->probe, &order);
}

/* Lost, clusterless and failing nodes, the slaves of a seat that is empty or failing, and who was not seen. */
static bool needs_retry(const struct watch *watch)
{
	const struct node *node = watch->node;
	const struct node *holder;

	if (watch->unseen || node->place == PLACE_CLUSTERLESS || node->place == PLACE_LOST || node_is_failing(node))
		return true;
	if (node->place != PLACE_SLAVE || node->cluster == NULL)
		return false;
	holder = node->cluster->seat;
	return holder == NULL || node_is_failing(holder);
}

int64_t watch_interval(const struct watch *watch, const struct refusals *refusals)
{
	int64_t wait_ms = watch->monitor->config->retry_interval_ms;

	for (int i = 1; i < refusals->count && wait_ms < SHUT_DOOR_RETRY_MS; i++)
		wait_ms *= 2;
	return refusals->count > 0 && wait_ms > SHUT_DOOR_RETRY_MS ? SHUT_DOOR_RETRY_MS : wait_ms;
}

void watch_count(const struct watch *watch, struct refusals *refusals, enum reason reason)
{
	int64_t now_ms = clock_steady_ms();

	if (!reason_is_a_shut_door(reason)) {
		refusals->count = 0;
	} else if (refusals->count == 0 ||
		   now_ms - refusals->last_ms >= watch_interval(watch, refusals)) {
		refusals->count++; /* those of rounds meanwhile do not count */
		refusals->last_ms = now_ms;
	}
}

static int64_t retry_wait(const struct watch *watch)
{
	int64_t wait_ms = watch_interval(watch, &watch->refused);

	/* attempts of a failing node are apart by the interval, others begin that often */
	if (!node_is_failing(watch->node))
		wait_ms -= clock_steady_ms() - watch->asked_ms;
	return wait_ms > 1 ? wait_ms : 1;
}

void watch_plan(struct watch *watch)
{
	struct monitor *monitor = watch->monitor;
	int64_t now_ms = clock_steady_ms();
	int64_t ends_ms = node_grace_ends(monitor->fleet, watch->node);

	if (ends_ms == INT64_MAX)
		timer_stop(watch->grace);
	else if (ends_ms > now_ms) /* else the next failure counts */
		timer_start(watch->grace, ends_ms - now_ms);
	if (!needs_retry(watch))
		timer_stop(watch->retry);
	else if (!timer_is_set(watch->retry) && !probe_is_busy(watch->probe))
		timer_start(watch->retry, retry_wait(watch));
}

void watch_plan_cluster(const struct cluster *cluster)
{
	for (size_t i = 0; i < cluster->members.count; i++)
		watch_plan(((struct node *)cluster->members.items[i])->watch);
}

static void on_retry(void *data)
{
	watch_look(data);
}

static void on_grace(void *data)
{
	struct watch *watch = data;

	if (node_is_failing(watch->node))
		group_want_round(group_of(watch->monitor, watch->node), false);
}

struct log_about watch_about(const struct node *node)
{
	return (struct log_about){
		.node = node->config->name,
		.has_cluster = node->cluster != NULL,
		.cluster_id = node->cluster != NULL ? node->cluster->id : -1,
	};
}

static enum failing how_it_fails(const struct node *node)
{
	if (node->failure.attempts == 0)
		return FAILING_NOT;
	if (node->failure.reason == REASON_NO_NEW_CONNECTIONS)
		return FAILING_FRESH;
	if (node->failure.answered)
		return FAILING_BEAT;
	if (node->failure.reason == REASON_TABLE || node->failure.reason == REASON_QUERY_ERROR)
		return FAILING_QUESTION;
	return FAILING_ANSWER;
}

static void log_failing(struct watch *watch)
{
	static const char *const words[] = {
		[FAILING_ANSWER] = "no answer",
		[FAILING_QUESTION] = "a question was refused",
		[FAILING_FRESH] = "no fresh connection",
		[FAILING_BEAT] = "its beat is not written",
	};
	const struct node *node = watch->node;
	enum failing failing = how_it_fails(node);
	enum failing before = watch->failing;
	struct log_about about = watch_about(node);

	if (failing == before)
		return;
	about.reason = failing != FAILING_NOT ? reason_name(node->failure.reason) : NULL;
	watch->failing = failing;
	/* "beat not written" is a loss (contract.md): it and its end are errors */
	if (failing != FAILING_NOT)
		log_line(failing == FAILING_BEAT ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, &about, "%s: %s",
			 words[failing], node->failure.message);
	else
		log_line(watch->beat_failed ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, &about,
			 "answers again");
	watch->beat_failed = failing == FAILING_BEAT ||
			     (watch->beat_failed && failing != FAILING_NOT);
	if ((failing == FAILING_NOT) != (before == FAILING_NOT))
		watch->monitor->events.changed(watch->monitor->data);
}

void watch_log_refused(const struct node *node, const struct beat_result *result)
{
	struct log_about about;

	if (node == NULL || (result->state != BEAT_FAILED && result->state != BEAT_LOCKED) ||
	    node->place == PLACE_SLAVE ||
	    (node->reason == result->reason && strcmp(node->message, result->message) == 0))
		return;
	about = watch_about(node);
	about.reason = reason_name(result->reason);
	log_line(LOG_LEVEL_ERROR, &about, "it says that it is master, but its beat is not written: %s",
		 result->message);
}

static void on_seen(void *data, const struct observation *seen)
{
	struct watch *watch = data;
	struct monitor *monitor = watch->monitor;
	struct node *node = watch->node;
	struct moment now = monitor_now(monitor);

	watch_count(watch, &watch->refused,
		    seen->kind == OBSERVED_FAILURE ? seen->reason : REASON_NONE);
	timer_stop(watch->retry);
	watch->unseen = seen->kind == OBSERVED_NOTHING && !seen->kept;
	if (!seen->kept || seen->door.reason == REASON_NONE) /* it broke, and another one stands */
		door_forget(watch);
	node_observe(monitor->fleet, node, seen, &now);
	log_failing(watch);
	door_tell(watch, &now);
	if (monitor->phase != START_OVER)
		start_saw(monitor, watch);
	if (!start_is_blind(monitor) && !(node->cluster != NULL && node->cluster->starting))
		group_saw(group_of(monitor, node), watch);
	if (node->cluster != NULL && node_is_failing(node))
		watch_plan_cluster(node->cluster);
	watch_plan(watch);
}

static void on_beaten(void *data, const struct beat_result *result)
{
	struct watch *watch = data;

	if (!start_beaten(watch->monitor, watch, result))
		group_beaten(group_of(watch->monitor, watch->node), result);
	watch_plan(watch);
}

static void on_worth_a_look(void *data)
{
	struct watch *watch = data;
	struct monitor *monitor = watch->monitor;

	if (start_is_blind(monitor) || watch->node->cluster == NULL ||
	    watch->node->cluster->starting)
		watch_look(watch);
	else
		group_want_round(group_of(monitor, watch->node), false);
}

static void on_refreshed(void *data, const struct evidence *failure)
{
	if (door_refreshed(data, failure))
		on_worth_a_look(data);
}

/* A connect got through in the background: the node is asked, a round opens if that matters. */
static void on_connected(void *data)
{
	watch_look(data);
}

static void on_unable(void *data, bool asked, const char *why)
{
	const struct watch *watch = data;
	struct log_about about = { .node = watch->node->config->name };

	log_line(LOG_LEVEL_ERROR, &about, "%s: plusmoin itself lacks something: %s",
		 asked ? "no fresh connection can be made" : "cannot be asked, and is not judged", why);
}

static void on_remark(void *data, const char *text)
{
	const struct watch *watch = data;
	struct log_about about = { .node = watch->node->config->name };

	log_line(LOG_LEVEL_WARNING, &about, "%s", text);
}

static const struct probe_events watch_events = {
	.seen = on_seen,
	.beaten = on_beaten,
	.broke = on_worth_a_look,
	.connected = on_connected,
	.refreshed = on_refreshed,
	.unable = on_unable,
	.remark = on_remark,
};

/* P4: after a stall deadlines start anew, and nothing is judged by what expired. */
static void on_stall_tick(void *data)
{
	struct monitor *monitor = data;
	int64_t now_ms = clock_steady_ms();
	int64_t late_ms = now_ms - monitor->stall_tick_ms - STALL_TICK_MS;

	if (late_ms > STALL_LIMIT_MS) {
		monitor->stalls++;
		log_error("the monitor was stalled for %.1f s: it looks again before it judges",
			  (double)late_ms / 1000.0);
	}
	monitor->stall_tick_ms = now_ms;
	timer_start(monitor->stall_timer, STALL_TICK_MS);
}

static void make_probe(struct watch *watch, const struct probe *before)
{
	struct monitor *monitor = watch->monitor;
	struct probe_context context = {
		.loop = monitor->loop,
		.resolver = monitor->resolver,
		.drain = monitor->drain,
		.stalls = &monitor->stalls,
	};

	watch->probe = probe_new(&context, monitor->config, watch->node->config, before,
				 &watch_events, watch);
}

void watch_new(struct monitor *monitor, struct node *node)
{
	struct watch *watch = mem_zalloc(1, sizeof(*watch));

	watch->monitor = monitor;
	watch->node = node;
	make_probe(watch, NULL);
	watch->retry = timer_new(monitor->loop, NULL, on_retry, watch);
	watch->grace = timer_new(monitor->loop, &monitor->stalls, on_grace, watch);
	door_init(watch);
	node->watch = watch;
}

void watch_free(struct node *node)
{
	struct watch *watch = node->watch;

	probe_free(&watch->probe);
	timer_free(&watch->retry);
	timer_free(&watch->grace);
	timer_free(&watch->fresh);
	free(watch);
	node->watch = NULL;
}

void watch_reload(struct watch *watch, bool anew)
{
	struct probe *before = watch->probe;

	watch->refused.count = 0;
	timer_stop(watch->retry);
	timer_stop(watch->grace);
	if (anew) {
		door_forget(watch);
		make_probe(watch, before);
		probe_free(&before);
	} else {
		door_knock(watch);
		probe_set_config(watch->probe, watch->monitor->config, watch->node->config);
	}
}

void monitor_stands(struct monitor *monitor)
{
	for (size_t i = 0; monitor != NULL && i < monitor->fleet->node_count; i++) {
		struct node *node = monitor->fleet->nodes[i];

		if (node->kept)
			node->stood_ms = clock_steady_ms();
	}
}

bool monitor_save(const struct monitor *monitor, struct buf *out)
{
	struct moment now = monitor_now(monitor);

	if (monitor->phase != START_OVER || group_is_judging(&monitor->clusterless))
		return false;
	for (size_t i = 0; i < monitor->fleet->clusters.count; i++) {
		const struct cluster *cluster = monitor->fleet->clusters.items[i];

		if (cluster->watch != NULL && group_is_judging(cluster->watch))
			return false;
	}
	saved_render(monitor->fleet, monitor->event_count, &now, out);
	return true;
}

struct monitor *monitor_new(uv_loop_t *loop, struct config *config, const struct clock *clock,
			    const struct saved *saved, const struct monitor_events *events,
			    void *data)
{
	struct monitor *monitor = mem_zalloc(1, sizeof(*monitor));
	struct moment now = clock_now(clock);

	monitor->loop = loop;
	monitor->clock = clock;
	monitor->config = config_ref(config);
	monitor->events = *events;
	monitor->data = data;
	monitor->start_s = now.wall_ms / 1000;
	monitor->fleet = fleet_new(config, &now);
	if (saved != NULL) {
		saved_restore(monitor->fleet, saved, &now);
		monitor->event_count = saved->event_count;
	}
	monitor->resolver = resolver_new(loop);
	monitor->drain = drain_new(loop);
	for (size_t i = 0; i < monitor->fleet->node_count; i++)
		watch_new(monitor, monitor->fleet->nodes[i]);
	group_init(&monitor->clusterless, monitor, NULL);
	monitor->stall_timer = timer_new(loop, NULL, on_stall_tick, monitor);
	monitor->stall_tick_ms = clock_steady_ms();
	timer_start(monitor->stall_timer, STALL_TICK_MS);
	refresh_begin(monitor);
	reload_begin(monitor);
	start_begin(monitor);
	return monitor;
}

void monitor_free(struct monitor **monitor_p)
{
	struct monitor *monitor = *monitor_p;

	*monitor_p = NULL;
	if (monitor == NULL)
		return;
	start_end(monitor);
	for (size_t i = 0; i < monitor->fleet->clusters.count; i++) {
		struct cluster *cluster = monitor->fleet->clusters.items[i];

		group_clear(cluster->watch);
		free(cluster->watch);
	}
	group_clear(&monitor->clusterless);
	for (size_t i = 0; i < monitor->fleet->node_count; i++)
		watch_free(monitor->fleet->nodes[i]);
	timer_free(&monitor->stall_timer);
	timer_free(&monitor->refresh_timer);
	reload_end(monitor);
	drain_free(&monitor->drain);
	(void)resolver_free(&monitor->resolver);
	fleet_free(&monitor->fleet);
	config_unref(&monitor->config);
	free(monitor);
}
