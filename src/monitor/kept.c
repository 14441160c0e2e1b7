#include "monitor/kept.h"

#include "monitor/door.h"
#include "monitor/listener.h"
#include "monitor/tell.h"

static void judge_door(const struct kept *kept, struct watch *watch, const struct moment *now)
{
	const char *message;
	enum reason reason;
	struct change change;
	enum hold hold = door_judge(watch, now, &reason, &message);

	if (hold != HOLD_AS_BEFORE)
		unsaved_node(kept->publisher->unsaved, watch->node->config->id);
	if (hold != HOLD_BEGINS)
		return;
	change = tell_held(watch->node, reason, message);
	publish_event(kept->publisher, EVENT_NODE_HELD, watch->node->cluster, &change);
}

static void judge_vouches(const struct kept *kept, struct watch *watch, const struct moment *now)
{
	struct node *node = watch->node;
	struct list witnesses = { 0 };
	struct change change;

	if (node->failure.vouch_told || !node_is_vouched_for(node, now))
		return;
	node->failure.vouch_told = true;
	listeners_list(watch, &witnesses);
	change = tell_unreachable(node, &witnesses);
	publish_event(kept->publisher, EVENT_MASTER_UNREACHABLE, node->cluster, &change);
	list_free(&witnesses);
}

void kept_judge(const struct kept *kept, struct watch *watch, const struct moment *now)
{
	const struct node *node = watch->node;

	if (node->failure.attempts == 0 && node->door == REASON_NONE && !node->hold_told)
		return; /* it answers, as most do */
	if (kept->founding->phase != FOUNDING_OVER ||
	    group_is_judging(clusters_group(kept->publisher->clusters, node->cluster)) ||
	    (node->cluster != NULL && node->cluster->starting))
		return;
	judge_door(kept, watch, now);
	judge_vouches(kept, watch, now);
}

void kept_judge_all(const struct kept *kept, const struct cluster *cluster)
{
	const struct watches *watches = kept->publisher->clusters->seats->watches;
	struct moment now = clock_now(watches->clock);

	for (size_t i = 0; i < cluster->members.count; i++)
		kept_judge(kept, watch_of(watches, cluster->members.items[i]), &now);
}
