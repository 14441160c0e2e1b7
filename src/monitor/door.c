#include "monitor/door.h"

#include "base/log.h"
#include "core/verdict.h"
#include "monitor/tell.h"

void door_forget(struct watch *watch)
{
	watch->door = REASON_NONE;
	watch->door_way = DOOR_UNTRIED;
	pause_forget(&watch->door_pause);
	timer_stop(watch->fresh);
}

void door_knock(struct watch *watch)
{
	pause_forget(&watch->door_pause);
	if (timer_is_set(watch->fresh))
		timer_start(watch->fresh, 0);
}

/* A fresh connection has failed. */
static void note_failure(struct watch *watch, const struct evidence *failure, int64_t now_ms)
{
	watch->door = failure->reason;
	if (reason_is_said(failure->reason))
		pause_hear(&watch->door_pause, failure->reason, failure->message, now_ms);
	else
		pause_forget(&watch->door_pause);
}

static void on_fresh(void *data)
{
	const struct watch *watch = data;

	watch->all->prober->refresh(watch->probe);
}

bool door_refreshed(struct watch *watch, const struct evidence *failure)
{
	struct moment now = clock_now(watch->all->clock);
	enum reason before = watch->door;

	if (failure == NULL) {
		door_forget(watch);
	} else if (!failure->own_fault) {
		note_failure(watch, failure, now.steady_ms);
	}
	if (watch->door != REASON_NONE)
		timer_set(&watch->fresh, watch->all->loop, on_fresh, watch,
			  node_pause_length(watch->all->fleet, watch->node, &watch->door_pause, &now));
	return watch->door != before;
}

void door_close(struct watch *watch)
{
	timer_free(&watch->fresh);
}

/* The hold ends when the node answers, or has left its place. Another failure does not end it. */
static enum hold judge_end(struct node *node)
{
	struct log_about about = tell_node_about(node);

	if (node->failure.attempts > 0 && node->place == node->held_in)
		return HOLD_AS_BEFORE;
	node->hold_told = false;
	if (node->failure.attempts == 0)
		log_line(LOG_LEVEL_ERROR, &about, "the node is no longer held: what failed succeeds again");
	return HOLD_ENDS;
}

enum hold door_judge(struct watch *watch, const struct moment *now, enum reason *reason,
		     const char **message)
{
	struct node *node = watch->node;

	*reason = node_is_held(watch->all->fleet, node, now, message);
	if (*reason == REASON_NONE)
		return node->hold_told ? judge_end(node) : HOLD_AS_BEFORE;
	if (node->hold_told)
		return HOLD_AS_BEFORE;
	node->hold_told = true;
	node->held_in = node->place;
	return HOLD_BEGINS;
}

/*
 * Tries the next node, each in its turn, evenly over the interval. It tries none while connects wait that matter more.
 */
static void on_turn(void *data)
{
	struct watches *all = data;

	if (!all->quiet && all->count > 0 && all->config->fresh_connect_ms > 0 && throttle_has_room(all->throttle)) {
		const struct watch *watch = all->by_order[all->refresh_next % all->count];

		all->refresh_next++;
		if (!timer_is_set(watch->fresh)) /* a node whose door is shut is tried by that timer */
			all->prober->refresh(watch->probe);
	}
	doors_plan(all);
}

void doors_plan(struct watches *all)
{
	int64_t interval_ms = config_fresh_connect_ms(all->config, all->prober->login_cost_us());

	if (interval_ms == 0 || all->count == 0)
		timer_stop(all->refresh);
	else
		timer_start(all->refresh, interval_ms / (int64_t)all->count);
}

void doors_open(struct watches *all)
{
	all->refresh = timer_new(all->loop, on_turn, all);
	doors_plan(all);
}
