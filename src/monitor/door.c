/* Doors: fresh connections beside the kept ones, and who is held because none gets in (P1). */
#include "base/log.h"
#include "base/text.h"
#include "core/verdict.h"
#include "monitor/internal.h"

void door_forget(struct watch *watch)
{
	watch->door = REASON_NONE;
	watch->door_refused.count = 0;
	timer_stop(watch->fresh);
}

void door_knock(struct watch *watch)
{
	watch->door_refused.count = 0;
	if (timer_is_set(watch->fresh))
		timer_start(watch->fresh, 0);
}

bool door_refreshed(struct watch *watch, const struct evidence *failure)
{
	enum reason before = watch->door;

	if (failure == NULL) {
		door_forget(watch);
	} else if (!failure->own_fault) {
		watch->door = failure->reason;
		watch_count(watch, &watch->door_refused, failure->reason);
	}
	if (watch->door != REASON_NONE)
		timer_start(watch->fresh, watch_interval(watch, &watch->door_refused));
	return watch->door != before;
}

static void on_fresh(void *data)
{
	const struct watch *watch = data;

	probe_refresh(watch->probe);
}

void door_init(struct watch *watch)
{
	watch->fresh = timer_new(watch->monitor->loop, NULL, on_fresh, watch);
}

static void fire_held(struct watch *watch, const struct shut_door *door)
{
	struct node *node = watch->node;
	struct log_about about = watch_about(node);
	struct change change = {
		.rule = RULE_P1,
		.node = node,
		.event = EVENT_NODE_HELD,
		.from = node->cluster,
		.cluster = node->cluster,
		.reason = door->reason,
	};

	about.event = event_kind_name(EVENT_NODE_HELD);
	about.rule = rule_name(RULE_P1);
	about.reason = reason_name(door->reason);
	log_line(LOG_LEVEL_ERROR, &about, "held in its place, the server is alive: %s",
		 door->message);
	text_copy(change.message, sizeof(change.message), door->message);
	monitor_fire(watch->monitor, EVENT_NODE_HELD, node->cluster, &change);
}

static void begin_hold(struct watch *watch, const struct shut_door *door)
{
	watch->node->held = true;
	watch->node->held_in = watch->node->place;
	fire_held(watch, door);
}

/* It is over when the node answers, or has left its place; another failure meanwhile is no end. */
static void end_hold(struct node *node)
{
	struct log_about about = watch_about(node);

	if (node->failure.attempts > 0 && node->place == node->held_in)
		return;
	node->held = false;
	if (node->failure.attempts == 0)
		log_line(LOG_LEVEL_ERROR, &about, "no longer held: its door is open again");
}

void door_tell(struct watch *watch, const struct moment *now)
{
	struct node *node = watch->node;
	struct shut_door door;
	bool is_held = node_is_held(watch->monitor->fleet, node, now, &door);

	if (watch->monitor->phase != START_OVER || group_is_judging(group_of(watch->monitor, node)) ||
	    (node->cluster != NULL && node->cluster->starting))
		return;
	if (is_held && !node->held)
		begin_hold(watch, &door);
	else if (!is_held && node->held)
		end_hold(node);
}

/* One node after another, evenly over the interval. */
static void on_turn(void *data)
{
	struct monitor *monitor = data;
	const struct fleet *fleet = monitor->fleet;

	if (fleet->node_count > 0 && config_fresh_connect_ms(monitor->config) > 0) {
		const struct node *node = fleet->nodes[monitor->refresh_next % fleet->node_count];
		const struct watch *watch = node->watch;

		monitor->refresh_next++;
		if (!timer_is_set(watch->fresh)) /* a door that is shut has a pace of its own */
			probe_refresh(watch->probe);
	}
	refresh_plan(monitor);
}

void refresh_plan(struct monitor *monitor)
{
	int64_t interval_ms = config_fresh_connect_ms(monitor->config);
	int64_t count = (int64_t)monitor->fleet->node_count;

	if (interval_ms == 0 || count == 0)
		timer_stop(monitor->refresh_timer);
	else
		timer_start(monitor->refresh_timer, interval_ms / count);
}

void refresh_begin(struct monitor *monitor)
{
	monitor->refresh_timer = timer_new(monitor->loop, NULL, on_turn, monitor);
	refresh_plan(monitor);
}
