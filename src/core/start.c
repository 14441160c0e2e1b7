#include "core/start.h"

/* A slave that answers and whose row names no cluster's master, starting or not. */
static bool is_stranger(const struct fleet *fleet, const struct node *node)
{
	const struct node *named;

	if (node->cluster != NULL || node->failure.attempts > 0 ||
	    node->seen.kind != OBSERVED_SLAVE)
		return false;
	if (node->seen.row_state != ROW_SHOWN)
		return true;
	named = fleet_named(fleet, NULL, node->seen.row.master);
	return named == NULL || named->cluster == NULL || cluster_master(named->cluster) != named;
}

static bool shows_this_run(const struct cluster *cluster, const struct ruling *ruling)
{
	int64_t lag_ms;

	return ruling->has_shown && cluster_lag(cluster, ruling->shown, &lag_ms);
}

bool start_waits_for(const struct fleet *fleet, const struct cluster *cluster,
		     const struct node *node)
{
	struct ruling ruling;

	if (node->cluster != NULL || node->seen.kind != OBSERVED_SLAVE)
		return false;
	if (is_stranger(fleet, node))
		return true;
	ruling = rule_to_join(fleet, node, (struct cluster *)cluster);
	return ruling.rule == RULE_U3 && !shows_this_run(cluster, &ruling);
}

/* A node that went down although its row named this cluster's master when it was last seen. */
static bool has_gone_down(const struct fleet *fleet, const struct cluster *cluster,
			  const struct node *node, const struct moment *now)
{
	if (node->cluster == cluster)
		return node_verdict(fleet, node, now) == VERDICT_DOWN;
	return node->cluster == NULL && node->known && node->is_slave &&
	       node->failure.attempts > 0 &&
	       fleet_named(fleet, cluster, node->master_name) == cluster_master(cluster);
}

bool start_is_over(const struct fleet *fleet, const struct cluster *cluster, int64_t founded_ms,
		   const struct moment *now)
{
	int64_t waited_ms = now->steady_ms - founded_ms;
	bool waits = false;

	if (waited_ms >= fleet->config->max_sync_delay_ms)
		return true;
	for (size_t i = 0; i < fleet->node_count; i++) {
		const struct node *node = fleet->nodes[i];

		if (has_gone_down(fleet, cluster, node, now))
			return true;
		if (!start_waits_for(fleet, cluster, node))
			continue;
		if (!is_stranger(fleet, node) || waited_ms < START_STRANGERS_MS)
			waits = true;
	}
	return !waits;
}

void start_place(struct fleet *fleet, struct cluster *cluster, const struct moment *now,
		 struct changes *changes)
{
	cluster->starting = false;
	for (size_t i = 0; i < fleet->node_count; i++) {
		struct node *node = fleet->nodes[i];

		if (node->cluster != NULL || rule_to_join(fleet, node, cluster).rule != RULE_U3)
			continue;
		changes_join(changes, fleet, node, cluster, now)->event = EVENT_NONE;
		node_forget(node);
	}
}
