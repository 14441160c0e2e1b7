#include "core/lag.h"

#include "core/aliases.h"

/* Returns the longest max_sync_delay of the members, ms: their lag must be known up to that. */
static int64_t longest_delay_ms(const struct fleet *fleet, const struct cluster *cluster)
{
	int64_t longest_ms = 0;

	for (size_t i = 0; i < cluster->members.count; i++) {
		const struct node *node = cluster->members.items[i];
		int64_t own_ms = config_max_sync_delay_ms(fleet->config, node->config);

		if (own_ms > longest_ms)
			longest_ms = own_ms;
	}
	return longest_ms;
}

void cluster_take_beat(struct fleet *fleet, struct cluster *cluster, int64_t tstamp, int64_t steady_ms,
		       bool new_holder)
{
	fleet_touch(fleet, cluster); /* a new beat changes the lag of all members */
	history_add(&cluster->beats, tstamp, steady_ms, new_holder, longest_delay_ms(fleet, cluster));
}

bool row_counts(const struct fleet *fleet, const struct cluster *cluster, const struct row *row,
		int64_t *tstamp)
{
	const struct node *named = fleet_named(fleet, cluster, row->master);
	const struct holder *holder;

	if (named == NULL)
		return false;
	if (named == cluster->seat) {
		*tstamp = row->tstamp;
		return true;
	}
	holder = cluster_holder(cluster, named);
	if (holder == NULL)
		return false;
	*tstamp = row->tstamp < holder->last_tstamp ? row->tstamp : holder->last_tstamp;
	return true;
}

bool cluster_lag(const struct cluster *cluster, int64_t tstamp, int64_t *lag_ms)
{
	return history_lag(&cluster->beats, tstamp, lag_ms);
}

bool node_lag(const struct node *node, int64_t *lag_ms)
{
	if (node->place != PLACE_SLAVE && node->place != PLACE_LOST)
		return false;
	return node->has_shown && cluster_lag(node->cluster, node->shown_tstamp, lag_ms);
}

int64_t lag_bar(int64_t bar_ms, int64_t lag_ms)
{
	if (bar_ms < lag_ms)
		return lag_ms;
	return bar_ms > 2 * lag_ms ? 2 * lag_ms : bar_ms;
}

bool lag_is_over(int64_t bar_ms, int64_t limit_ms)
{
	return limit_ms < bar_ms;
}

void cluster_note_lags(struct cluster *cluster)
{
	for (size_t i = 0; i < cluster->members.count; i++) {
		struct node *node = cluster->members.items[i];
		int64_t lag_ms = 0;

		if (node->place == PLACE_MASTER || node_lag(node, &lag_ms))
			node->lag_bar_ms = lag_bar(node->lag_bar_ms, lag_ms);
		node->judged_lag_ms = lag_ms;
	}
}
