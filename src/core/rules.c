#include "core/rules.h"

#include "core/aliases.h"
#include "core/vouch.h"

/* Puts the tstamp that a member shows into the ruling: its row's if that counts, else the last good row's. */
static void take_row(const struct fleet *fleet, const struct node *node, struct ruling *ruling)
{
	ruling->has_shown = node->has_shown;
	ruling->shown = node->shown_tstamp;
	if (node->seen.row_state == ROW_SHOWN &&
	    row_counts(fleet, node->cluster, &node->seen.row, &ruling->shown))
		ruling->has_shown = true;
}

static bool lag_within(const struct cluster *cluster, const struct ruling *ruling, int64_t limit_ms)
{
	int64_t lag_ms;

	return ruling->has_shown && cluster_lag(cluster, ruling->shown, &lag_ms) &&
	       lag_ms <= limit_ms;
}

/* Returns the other cluster whose master the node's row names, or NULL. */
static struct cluster *named_cluster(const struct fleet *fleet, const struct node *node)
{
	const struct node *named;

	if (node->seen.row_state != ROW_SHOWN)
		return NULL;
	named = fleet_named(fleet, node->cluster, node->seen.row.master);
	if (named == NULL || named->cluster == NULL || named->cluster == node->cluster ||
	    named->cluster->starting || cluster_master(named->cluster) != named)
		return NULL;
	return named->cluster;
}

/* S3 and L3: the row names another cluster's master and is within `limit_ms` there. */
static bool belongs_elsewhere(const struct fleet *fleet, const struct node *node, int64_t limit_ms,
			      struct ruling *ruling)
{
	struct ruling there = { .target = named_cluster(fleet, node) };

	if (there.target == NULL)
		return false;
	there.has_shown = row_counts(fleet, there.target, &node->seen.row, &there.shown);
	if (!lag_within(there.target, &there, limit_ms))
		return false;
	*ruling = there;
	return true;
}

/* Whether a lost node replays another cluster's beats, however late: then it is not back in its own. */
static bool follows_elsewhere(const struct fleet *fleet, const struct node *node)
{
	struct ruling there;

	return belongs_elsewhere(fleet, node, INT64_MAX, &there);
}

/* Whether a rule for slaves speaks. None does for a node that is failing, and the rules for masters need a beat. */
static bool is_judged(enum verdict verdict)
{
	return verdict == VERDICT_DOWN || verdict == VERDICT_SLAVE;
}

/* Returns how far behind a member may be. A lost node has to come nearer than a slave (hysteresis). */
static int64_t lag_limit(const struct fleet *fleet, const struct node *node)
{
	return node->place == PLACE_LOST ? config_recover_sync_delay_ms(fleet->config, node->config)
					 : config_max_sync_delay_ms(fleet->config, node->config);
}

/* Returns the finding for a slave or lost node that says that it is slave. */
static enum finding find(const struct fleet *fleet, const struct node *node, struct ruling *ruling)
{
	int64_t limit_ms = lag_limit(fleet, node);

	if (belongs_elsewhere(fleet, node, limit_ms, ruling))
		return FOUND_ELSEWHERE;
	take_row(fleet, node, ruling);
	if (!lag_within(node->cluster, ruling, limit_ms))
		return FOUND_LATE;
	return node->place == PLACE_LOST && follows_elsewhere(fleet, node) ? FOUND_LATE : FOUND_IN_SYNC;
}

struct ruling rule_for_member(const struct fleet *fleet, const struct node *node,
			      const struct moment *now)
{
	enum verdict verdict = node_verdict(fleet, node, now);
	struct ruling ruling = { .rule = RULE_NONE };
	enum finding finding = FOUND_DOWN;

	if (!is_judged(verdict))
		return ruling;
	if (verdict == VERDICT_SLAVE)
		finding = find(fleet, node, &ruling);
	ruling.rule = rule_row_for(node->place, finding)->rule;
	return ruling;
}

struct ruling rule_to_join(const struct fleet *fleet, const struct node *node,
			   struct cluster *cluster)
{
	struct ruling ruling = { .rule = RULE_U4 };
	const struct node *named;

	if (node->seen.kind != OBSERVED_SLAVE || node->seen.row_state != ROW_SHOWN)
		return ruling;
	named = fleet_named(fleet, cluster, node->seen.row.master);
	if (named == NULL || named->cluster != cluster || cluster_master(cluster) != named)
		return ruling;
	ruling.rule = RULE_U3;
	ruling.target = cluster;
	ruling.has_shown = row_counts(fleet, cluster, &node->seen.row, &ruling.shown);
	ruling.in_sync = lag_within(cluster, &ruling, config_max_sync_delay_ms(fleet->config, node->config));
	return ruling;
}

struct ruling rule_for_clusterless(const struct fleet *fleet, const struct node *node,
				   const struct moment *now)
{
	enum verdict verdict = node_verdict(fleet, node, now);
	struct ruling ruling = { .rule = RULE_NONE };
	struct cluster *cluster;

	if (!is_judged(verdict))
		return ruling;
	cluster = verdict == VERDICT_SLAVE ? named_cluster(fleet, node) : NULL;
	if (cluster != NULL)
		return rule_to_join(fleet, node, cluster);
	ruling.rule = verdict == VERDICT_DOWN ? RULE_U1 : RULE_U4;
	return ruling;
}

enum rule rule_for_holder(const struct fleet *fleet, const struct node *node,
			  const struct moment *now)
{
	switch (node_verdict(fleet, node, now)) {
	case VERDICT_NONE:
	case VERDICT_FAILING:
		return RULE_NONE;
	case VERDICT_DOWN:
		return RULE_M2;
	case VERDICT_SLAVE:
		return RULE_M3;
	case VERDICT_MASTER:
		return RULE_M1;
	}
	return RULE_NONE;
}

enum rule rule_for_candidate(const struct fleet *fleet, const struct node *node,
			     const struct moment *now)
{
	const struct node *holder = node->cluster->seat;

	if (node_verdict(fleet, node, now) != VERDICT_MASTER || holder == node)
		return RULE_NONE;
	if (holder == NULL)
		return RULE_M4;
	if (holder_answers(fleet, holder, now))
		return RULE_M6;
	if (node->place == PLACE_SLAVE)
		return RULE_M4;
	return node_is_vouched_for(holder, now) ? RULE_M6 : RULE_NONE;
}

bool rules_wait_for_holder(const struct fleet *fleet, const struct node *node,
			   const struct moment *now)
{
	const struct node *holder = node->cluster != NULL ? node->cluster->seat : NULL;

	return holder != NULL && holder != node && node_is_failing(holder) &&
	       holder->seen.kind == OBSERVED_NOTHING && !node_is_vouched_for(holder, now) &&
	       rule_for_candidate(fleet, node, now) == RULE_M6;
}

bool rules_would_move(const struct fleet *fleet, const struct node *node, const struct moment *now)
{
	enum rule rule = RULE_NONE;

	if (rules_wait_for_holder(fleet, node, now))
		return false;
	switch (node->place) {
	case PLACE_MASTER:
		rule = rule_for_holder(fleet, node, now);
		return rule == RULE_M2 || rule == RULE_M3;
	case PLACE_SLAVE:
	case PLACE_LOST:
		rule = rule_for_member(fleet, node, now).rule;
		return (rule != RULE_NONE && rule_row(rule)->outcome != OUTCOME_STAYS) ||
		       rule_for_candidate(fleet, node, now) != RULE_NONE;
	case PLACE_CLUSTERLESS:
		return node_verdict(fleet, node, now) == VERDICT_MASTER ||
		       rule_for_clusterless(fleet, node, now).rule == RULE_U3;
	}
	return false;
}
