#include "core/round.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/vouch.h"

void round_begin(struct round *round, struct fleet *fleet, struct cluster *cluster)
{
	*round = (struct round){
		.fleet = fleet,
		.cluster = cluster,
		.number = ++fleet->rounds,
		.seat_before = cluster != NULL ? cluster->seat : NULL,
		.phase = cluster != NULL ? ROUND_HOLDER : ROUND_CANDIDATES,
	};
}

/* Carries out M1, M2 or M3. */
static void judge_holder(struct round *round, const struct moment *now)
{
	struct node *holder = round->cluster->seat;
	enum rule rule = holder != NULL ? rule_for_holder(round->fleet, holder, now) : RULE_NONE;
	struct change *change;

	if (rule == RULE_M2) {
		change = changes_move(&round->changes, RULE_M2, holder, round->cluster, PLACE_LOST,
				      now);
		change_because_of_failure(change);
	} else if (rule == RULE_M1) {
		fleet_note_rule(holder, rule, now);
	} else if (rule == RULE_M3) {
		change = changes_move(&round->changes, RULE_M3, holder, round->cluster, PLACE_SLAVE,
				      now);
		change_because(change, REASON_DEMOTED, "it says that it is a slave now");
		node_give_reason(holder, REASON_NONE, "");
	}
}

/* The nodes of the round: its cluster's members, or the clusterless ones. */
static const struct list *nodes_of(const struct round *round)
{
	return round->cluster != NULL ? &round->cluster->members : &round->fleet->clusterless;
}

static void add_candidate(struct round *round, struct node *node)
{
	if (node->seen.kind == OBSERVED_MASTER && node->tried_in != round->number)
		list_add(&round->candidates, node);
}

static void add_candidates(struct round *round, enum place place)
{
	const struct list *nodes = nodes_of(round);

	for (size_t i = 0; i < nodes->count; i++) {
		struct node *node = nodes->items[i];

		if (node->place == place)
			add_candidate(round, node);
	}
}

static void list_candidates(struct round *round)
{
	if (round->only != NULL) {
		add_candidate(round, round->only);
	} else if (round->cluster == NULL) {
		add_candidates(round, PLACE_CLUSTERLESS);
	} else {
		add_candidates(round, PLACE_SLAVE);
		add_candidates(round, PLACE_LOST);
	}
}

/* The rule under which a candidate is tried, RULE_NONE when it must not be. */
static enum rule candidate_rule(const struct round *round, const struct node *node,
				const struct moment *now)
{
	enum rule rule;

	if (node->cluster != round->cluster)
		return RULE_NONE; /* it moved away while another candidate's beat was written */
	if (round->cluster == NULL)
		return node_verdict(round->fleet, node, now) == VERDICT_MASTER ? RULE_U2
									       : RULE_NONE;
	rule = rule_for_candidate(round->fleet, node, now);
	if (rule == RULE_M6 && round->cluster->seat->seen.kind == OBSERVED_NOTHING &&
	    !node_is_vouched_for(round->cluster->seat, now))
		return RULE_NONE; /* nothing was seen of the holder in this round */
	return rule;
}

static struct beat_order order_for(struct round *round, struct node *node, enum rule rule,
				   const struct moment *now)
{
	struct beat_order order = { .master = node->config->id, .tstamp = now->stamp_ms };

	if (round->cluster != NULL)
		order = fleet_beat_order(round->cluster, node, now);
	if (rule != RULE_M4)
		order.cluster_id = fleet_reserve_id(round->fleet, node);
	return order;
}

/* Returns the next candidate. A node that answered while the last one's beat was written may be one, too. */
static struct node *shift_candidate(struct round *round)
{
	if (round->candidates.count == 0)
		list_candidates(round);
	return list_shift(&round->candidates);
}

static bool next_candidate(struct round *round, const struct moment *now, struct node **node,
			   struct beat_order *order)
{
	struct node *next;

	while ((next = shift_candidate(round)) != NULL) {
		enum rule rule = candidate_rule(round, next, now);

		next->tried_in = round->number;
		if (rule == RULE_NONE)
			continue;
		round->trying = next;
		round->trying_rule = rule;
		*node = next;
		*order = order_for(round, next, rule, now);
		return true;
	}
	return false;
}

static void first_beat(struct round *round, struct cluster *cluster,
		       const struct beat_result *result, const struct moment *now)
{
	cluster_take_beat(round->fleet, cluster, result->tstamp, now->steady_ms, true);
}

/* Carries out M4: the candidate takes the seat, and a holder that is failing becomes lost. */
static void take_seat(struct round *round, struct node *node, const struct beat_result *result,
		      const struct moment *now)
{
	struct node *failing = round->cluster->seat;
	struct change *change;

	if (failing != NULL) {
		change = changes_move(&round->changes, RULE_M4, failing, round->cluster, PLACE_LOST,
				      now);
		change_because_of_failure(change);
	}
	change = changes_move(&round->changes, RULE_M4, node, round->cluster, PLACE_MASTER, now);
	change->event = node != round->seat_before ? EVENT_MASTER_UP : EVENT_NONE; /* T2 */
	node_give_reason(node, REASON_NONE, "");
	first_beat(round, round->cluster, result, now);
}

/* A master that answered the first attempt late, but in time, was there before plusmoin: its cluster is not created. */
static enum event_kind event_of_founding(const struct round *round, const struct node *node)
{
	if (round->starting)
		return EVENT_NONE;
	return node->in_time && round->trying_rule == RULE_U2 ? EVENT_PLUSMOIN_UP
							      : EVENT_CLUSTER_CREATED;
}

/* Carries out M6 or U2: the candidate founds a cluster with the id that its beat carries. */
static void found(struct round *round, struct node *node, const struct beat_result *result,
		  const struct moment *now)
{
	struct cluster *cluster = fleet_add_cluster(round->fleet, node->reserved_id);
	struct change *change;

	cluster->starting = round->starting;
	fleet_settle_id(round->fleet, node, true);
	change = changes_move(&round->changes, round->trying_rule, node, cluster, PLACE_MASTER,
			      now);
	change->event = event_of_founding(round, node);
	node->in_time = false;
	node_give_reason(node, REASON_NONE, "");
	first_beat(round, cluster, result, now);
}

/* Carries out M5; also for a clusterless master whose beat cannot be written. */
static void refuse(struct round *round, struct node *node, const struct beat_result *result,
		   const struct moment *now)
{
	bool loses = node->place == PLACE_SLAVE;
	struct change *change;

	fleet_settle_id(round->fleet, node, false);
	if (loses) {
		node->refused_in = round->number;
		change = changes_move(&round->changes, RULE_M5, node, round->cluster, PLACE_LOST,
				      now);
		change_because(change, result->reason, result->message);
		if (node != round->seat_before)
			change->event = EVENT_SLAVE_DOWN;
		return;
	}
	fleet_note_rule(node, RULE_M5, now);
	node_give_reason(node, result->reason, result->message);
}

void round_take_beat(struct round *round, const struct moment *now,
		     const struct beat_result *result)
{
	struct node *node = round->trying;
	enum rule rule = round->trying_rule;

	round->trying = NULL;
	if (node == NULL || node->cluster != round->cluster)
		return; /* it has left the fleet or the cluster meanwhile */
	switch (result->state) {
	case BEAT_NONE: /* its id stays reserved: another round's beat may be on its way with it */
		break;
	case BEAT_LOCKED:
	case BEAT_FAILED:
		refuse(round, node, result, now);
		break;
	case BEAT_WRITTEN:
		if (rule == RULE_M4) /* a failing holder may have answered meanwhile */
			judge_holder(round, now);
		if (rule != RULE_M4)
			found(round, node, result, now);
		else if (rule_for_candidate(round->fleet, node, now) == RULE_M6)
			list_insert(&round->candidates, 0, node); /* M6 needs another beat, with another id */
		else
			take_seat(round, node, result, now);
		break;
	}
}

/* Carries out S3 or L3, and U3 right after it. */
static void move_over(struct round *round, struct node *node, const struct ruling *ruling,
		      const struct moment *now)
{
	struct cluster *left = node->cluster;

	changes_move(&round->changes, ruling->rule, node, NULL, PLACE_CLUSTERLESS, now)->cluster =
		left;
	changes_join(&round->changes, round->fleet, node, ruling->target, now)->from = left;
}

static void say_why(struct node *node, struct change *change, const struct ruling *ruling)
{
	switch (rule_row(ruling->rule)->finding) {
	case FOUND_DOWN:
		if (change != NULL)
			change_because_of_failure(change);
		break;
	case FOUND_LATE:
		change_because_of_lag(node, change, ruling);
		break;
	case FOUND_IN_SYNC:
		if (change != NULL)
			node_give_reason(node, REASON_NONE, "");
		break;
	case FOUND_ELSEWHERE:
	case FOUND_ELSE:
		break;
	}
}

/* Carries out what the row of the S or L rule says. */
static void judge_slave_or_lost(struct round *round, struct node *node, const struct moment *now)
{
	struct ruling ruling = rule_for_member(round->fleet, node, now);
	const struct rule_row *row = rule_row(ruling.rule);
	struct change *change = NULL;

	if (row->outcome == OUTCOME_LEAVES) {
		move_over(round, node, &ruling, now);
		return;
	}
	if (row->finding == FOUND_LATE || row->finding == FOUND_IN_SYNC)
		node_shows(node, &ruling);
	fleet_note_rule(node, ruling.rule, now);
	if (row->outcome == OUTCOME_LOST || row->outcome == OUTCOME_SLAVE) {
		change = changes_move(&round->changes, ruling.rule, node, node->cluster,
				      row->outcome == OUTCOME_LOST ? PLACE_LOST : PLACE_SLAVE, now);
		if (row->event != EVENT_SLAVE_DOWN || node != round->seat_before) /* T5 */
			change->event = row->event;
	}
	say_why(node, change, &ruling);
}

static void judge_clusterless(struct round *round, struct node *node, const struct moment *now)
{
	struct ruling ruling = rule_for_clusterless(round->fleet, node, now);

	fleet_note_rule(node, ruling.rule, now);
	if (ruling.rule == RULE_U3)
		changes_join(&round->changes, round->fleet, node, ruling.target, now);
	else if (ruling.rule == RULE_U4)
		node_give_reason(node, REASON_NONE, "");
}

static void judge_member(struct round *round, struct node *node, const struct moment *now)
{
	switch (node->place) {
	case PLACE_MASTER:
		break;
	case PLACE_SLAVE:
	case PLACE_LOST:
		if (node->refused_in != round->number) /* else M5 has judged it in this round */
			judge_slave_or_lost(round, node, now);
		break;
	case PLACE_CLUSTERLESS:
		judge_clusterless(round, node, now);
		break;
	}
}

/* Judges each node of the round once. One that is judged may leave the list, so the index moves on only if it stays. */
static void judge_members(struct round *round, const struct moment *now)
{
	const struct list *nodes = nodes_of(round);
	size_t i = 0;

	while (i < nodes->count) {
		struct node *node = nodes->items[i];

		judge_member(round, node, now);
		if (i < nodes->count && nodes->items[i] == node)
			i++;
	}
}

/* Carries out T1: fires master_down if the seat was filled when the round began and is empty now. */
static void fire_master_down(struct round *round)
{
	if (round->cluster == NULL || round->seat_before == NULL || round->cluster->seat != NULL)
		return;
	for (size_t i = 0; i < round->changes.count; i++) {
		struct change *change = &round->changes.items[i];

		if (change->node == round->seat_before && change->from_place == PLACE_MASTER) {
			change->event = EVENT_MASTER_DOWN;
			change->cluster = round->cluster;
		}
	}
}

/*
 * Forgets the observations that were judged, also those of nodes that moved elsewhere. At the start they are kept for
 * awaited_place().
 */
static void use_up(struct round *round)
{
	const struct list *nodes = nodes_of(round);

	for (size_t i = 0; i < nodes->count && !round->starting; i++) {
		struct node *node = nodes->items[i];

		/* clusterless slaves keep theirs, because a cluster that starts may still wait for them */
		if (round->cluster != NULL || node->seen.kind != OBSERVED_SLAVE)
			node_forget(node);
	}
	for (size_t i = 0; i < round->changes.count; i++)
		node_forget(round->changes.items[i].node);
	if (round->cluster == NULL)
		return;
	cluster_note_lags(round->cluster);
	fleet_touch(round->fleet, round->cluster);
}

bool round_step(struct round *round, const struct moment *now, struct node **node,
		struct beat_order *order)
{
	if (round->phase == ROUND_HOLDER) {
		judge_holder(round, now);
		round->phase = ROUND_CANDIDATES;
	}
	if (round->phase == ROUND_CANDIDATES) {
		if (next_candidate(round, now, node, order))
			return true;
		if (!round->starting)
			judge_members(round, now);
		fire_master_down(round);
		use_up(round);
		round->phase = ROUND_ENDED;
	}
	return false;
}

static int compare_changes(const void *a, const void *b)
{
	const struct change *left = a;
	const struct change *right = b;
	int rank = (left->event != EVENT_NONE ? (int)left->event : EVENT_KINDS) -
		   (right->event != EVENT_NONE ? (int)right->event : EVENT_KINDS);

	if (rank != 0)
		return rank;
	return (left->node->order > right->node->order) - (left->node->order < right->node->order);
}

void round_sort(struct round *round)
{
	if (round->changes.count > 1)
		qsort(round->changes.items, round->changes.count, sizeof(struct change),
		      compare_changes);
}

void round_forget(struct round *round, const struct node *node)
{
	list_remove(&round->candidates, node);
	changes_forget(&round->changes, node);
	if (round->trying == node)
		round->trying = NULL;
	if (round->seat_before == node)
		round->seat_before = NULL; /* T7: a master that leaves so fires no master_down */
}

void round_repeat(struct round *round)
{
	if (round->trying != NULL)
		list_insert(&round->candidates, 0, round->trying);
	round->trying = NULL;
}

void round_end(struct round *round)
{
	list_free(&round->candidates);
	changes_free(&round->changes);
}
