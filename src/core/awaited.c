#include "core/awaited.h"

#include "core/aliases.h"

bool awaited_is_stranger(const struct fleet *fleet, const struct node *node)
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

bool awaited_is_late(const struct fleet *fleet, const struct cluster *cluster,
		     const struct node *node)
{
	struct ruling ruling;
	int64_t lag_ms;

	if (node->cluster != NULL || node->seen.kind != OBSERVED_SLAVE)
		return false;
	ruling = rule_to_join(fleet, node, (struct cluster *)cluster);
	return ruling.rule == RULE_U3 &&
	       !(ruling.has_shown && cluster_lag(cluster, ruling.shown, &lag_ms));
}

/* Returns the starting cluster whose master the node's last row named; NULL: there is none. */
static struct cluster *cluster_named_by(const struct fleet *fleet, const struct node *node)
{
	const struct node *named;

	if (!node->known || !node->is_slave)
		return NULL;
	named = fleet_named(fleet, NULL, node->master_name);
	if (named == NULL || named->cluster == NULL || !named->cluster->starting ||
	    cluster_master(named->cluster) != named)
		return NULL;
	return named->cluster;
}

size_t awaited_look(struct fleet *fleet, const struct moment *now)
{
	size_t strangers = 0;

	for (size_t i = 0; i < fleet->clusters.count; i++) {
		struct cluster *cluster = fleet->clusters.items[i];

		cluster->awaited.count = 0;
		cluster->start_ends = cluster->starting && cluster->seat != NULL &&
				      node_verdict(fleet, cluster->seat, now) == VERDICT_DOWN;
	}
	for (size_t i = 0; i < fleet->clusterless.count; i++) {
		struct node *node = fleet->clusterless.items[i];
		struct cluster *cluster = cluster_named_by(fleet, node);

		strangers += awaited_is_stranger(fleet, node);
		if (cluster != NULL && node->failure.attempts > 0)
			cluster->start_ends = true;
		else if (cluster != NULL && rule_to_join(fleet, node, cluster).rule == RULE_U3)
			list_add(&cluster->awaited, node);
	}
	return strangers;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t awaited_strangers_ms(const struct fleet *fleet)
{
	return least(START_STRANGERS_MS, fleet->config->max_sync_delay_ms);
}

int64_t awaited_strangers_asked(const struct fleet *fleet)
{
	int64_t asked_ms = INT64_MAX;

	for (size_t i = 0; i < fleet->clusterless.count; i++) {
		const struct node *node = fleet->clusterless.items[i];

		if (awaited_is_stranger(fleet, node))
			asked_ms = least(asked_ms, node->seen.asked_ms);
	}
	return asked_ms;
}

/* Whether one of its nodes still shows no beat of this run. */
static bool has_late_ones(const struct fleet *fleet, const struct cluster *cluster)
{
	for (size_t i = 0; i < cluster->awaited.count; i++) {
		if (awaited_is_late(fleet, cluster, cluster->awaited.items[i]))
			return true;
	}
	return false;
}

enum awaited_end awaited_is_over(const struct fleet *fleet, const struct cluster *cluster,
			     const struct awaited_situation *wait)
{
	int64_t most_ms = least(START_LOGINS_MS, fleet->config->max_sync_delay_ms);
	bool late = has_late_ones(fleet, cluster);

	if (cluster->start_ends)
		return AWAITED_NO_MORE;
	if (wait->strangers > 0 && !wait->strangers_asked && /* asking all takes long in a large fleet */
	    wait->waited_ms < most_ms + fleet->config->query_timeout_ms)
		return AWAITED_YET;
	if (wait->waited_ms >= most_ms)
		return late ? AWAITED_LAST_LOOK : AWAITED_NO_MORE;
	if (late || wait->logging_in ||
	    (wait->strangers > 0 && wait->waited_ms < START_STRANGERS_MS))
		return AWAITED_YET;
	return AWAITED_NO_MORE;
}

void awaited_place(struct fleet *fleet, struct cluster *cluster, const struct moment *now,
		 struct changes *changes)
{
	for (size_t i = 0; i < cluster->awaited.count; i++) {
		struct node *node = cluster->awaited.items[i];

		if (node->cluster != NULL || rule_to_join(fleet, node, cluster).rule != RULE_U3)
			continue;
		changes_join(changes, fleet, node, cluster, now)->event = EVENT_NONE;
		node_forget(node);
	}
	list_free(&cluster->awaited);
}
