#include "monitor/holds.h"

#include "monitor/door.h"

void holds_judge(struct publisher *publisher, const struct founding *founding, struct watch *watch,
		 const struct moment *now)
{
	struct node *node = watch->node;
	const char *message;
	enum reason reason;
	struct change change;

	if (founding->phase != FOUNDING_OVER || group_is_judging(clusters_group(publisher->clusters, node->cluster)) ||
	    (node->cluster != NULL && node->cluster->starting))
		return;
	if (door_judge(watch, now, &reason, &message) != HOLD_BEGINS)
		return;
	change = tell_held(node, reason, message);
	publish_event(publisher, EVENT_NODE_HELD, node->cluster, &change);
}

void holds_judge_all(struct publisher *publisher, const struct founding *founding, const struct cluster *cluster)
{
	const struct watches *watches = publisher->clusters->seats->watches;
	struct moment now = clock_now(watches->clock);

	for (size_t i = 0; i < cluster->members.count; i++)
		holds_judge(publisher, founding, watch_of(watches, cluster->members.items[i]), &now);
}
