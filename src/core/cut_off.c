#include "core/cut_off.h"

#include "core/vouch.h"

static void touch_all(struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->clusters.count; i++)
		fleet_touch(fleet, fleet->clusters.items[i]);
}

void fleet_cut_off(struct fleet *fleet, const struct moment *now)
{
	fleet->cut_off_ms = now->steady_ms;
	fleet->cut_off_wall_ms = now->wall_ms;
	touch_all(fleet);
}

/* Moves a time before the isolation on by its length, so that it does not count; a time within it becomes now. */
static int64_t moved_on(int64_t at_ms, int64_t since_ms, int64_t now_ms)
{
	return at_ms < since_ms ? at_ms + (now_ms - since_ms) : now_ms;
}

static void take_up(struct node *node, int64_t since_ms, int64_t now_ms)
{
	struct failure *failure = &node->failure;

	node->seen.kind = OBSERVED_NOTHING;
	if (node->stood_ms != INT64_MIN)
		node->stood_ms = moved_on(node->stood_ms, since_ms, now_ms);
	if (node->went_ms != INT64_MIN)
		node->went_ms = moved_on(node->went_ms, since_ms, now_ms);
	if (failure->attempts == 0)
		return;
	node_touch(node);
	node_take_votes(node, NULL, false);
	if (failure->since_ms >= since_ms) {
		*failure = (struct failure){ 0 };
		return;
	}
	failure->vouched_ms = 0; /* the slaves that vouched could not be reached either */
	failure->witnesses = 0;
	failure->since_ms = moved_on(failure->since_ms, since_ms, now_ms);
	failure->silent_ms = moved_on(failure->silent_ms, since_ms, now_ms);
	if (failure->locked_ms != INT64_MIN)
		failure->locked_ms = moved_on(failure->locked_ms, since_ms, now_ms);
}

void fleet_reconnect(struct fleet *fleet, const struct moment *now)
{
	int64_t since_ms = fleet->cut_off_ms;

	fleet->cut_off_ms = INT64_MIN;
	for (size_t i = 0; i < fleet->node_count; i++)
		take_up(fleet->nodes[i], since_ms, now->steady_ms);
	for (size_t i = 0; i < fleet->clusters.count; i++) {
		struct history *beats = &((struct cluster *)fleet->clusters.items[i])->beats;

		if (beats->count > 0 && beats->last_steady_ms < since_ms)
			history_pause(beats, now->steady_ms - since_ms);
	}
	touch_all(fleet);
}

bool fleet_is_cut_off(const struct fleet *fleet)
{
	return fleet->cut_off_ms != INT64_MIN;
}

int64_t fleet_cut_off_ends(const struct fleet *fleet)
{
	int64_t grace_ms = fleet->config->isolation_grace_ms;

	if (!fleet_is_cut_off(fleet))
		return INT64_MIN;
	return grace_ms == ISOLATION_WITHOUT_END ? INT64_MAX : fleet->cut_off_ms + grace_ms;
}

bool fleet_acts_cut_off(const struct fleet *fleet, const struct moment *now)
{
	return fleet_is_cut_off(fleet) && now->steady_ms >= fleet_cut_off_ends(fleet);
}
