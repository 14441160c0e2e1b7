#include "core/verdict.h"

#include <string.h>

#include "base/text.h"
#include "base/words.h"
#include "core/aliases.h"
#include "core/cut_off.h"
#include "core/kin.h"
#include "core/vouch.h"

static bool sits(const struct node *node)
{
	return node->place == PLACE_MASTER;
}

static bool holds(const struct fleet *fleet, enum reason reason)
{
	return fleet->config->hold_on[reason];
}

/* Whether the server is alive although it fails: its kept connection stands, or it said why it refuses us. */
static bool is_alive(enum reason reason, bool kept)
{
	return kept || reason_is_a_refusal(reason);
}

/* Notes a failed attempt, for `reason` and with this message. `going`: the server said that it stops or starts. */
static void note_failure(const struct fleet *fleet, struct node *node,
			 const struct observation *seen, bool going, enum reason reason,
			 const char *message, const struct moment *now)
{
	struct failure *failure = &node->failure;

	if (failure->attempts++ == 0) {
		failure->since_ms = now->steady_ms;
		failure->answered = true; /* it did at the attempt before this one */
		failure->locked_ms = INT64_MIN;
		failure->fresh = 0;
		failure->vouch_told = false;
	}
	if (!seen->path)
		node_vouch(node, 0, 0);
	if (is_alive(reason, seen->kept))
		node->went_ms = INT64_MIN;
	if (failure->answered || is_alive(failure->reason, failure->kept)) {
		failure->going = node->went_ms != INT64_MIN;
		failure->silent_ms = failure->going ? node->went_ms : now->steady_ms;
	}
	if (is_alive(reason, seen->kept))
		failure->going = false;
	if (going)
		failure->going = true;
	failure->answered = false;
	failure->beat_locked = false;
	failure->may_hold = holds(fleet, reason);
	failure->kept = seen->kept;
	failure->reason = reason;
	words_keep(&node->shown->failure, message, MESSAGE_BYTES);
}

/*
 * Notes that a fresh connection failed while the kept one answers, whose answers do not count then. The fresh
 * connection is one failed attempt, however often the kept one answers until the next fresh one.
 */
static void note_shut_door(const struct fleet *fleet, struct node *node,
			   const struct observation *seen, const struct moment *now)
{
	const struct shut_door *door = &seen->door;
	struct failure *failure = &node->failure;
	int attempts = failure->attempts;

	node->seen.kind = OBSERVED_FAILURE;
	note_failure(fleet, node, seen, seen->going, REASON_NO_NEW_CONNECTIONS, door->message, now);
	failure->answered = true;
	if (attempts > 0 && failure->fresh == door->attempts)
		failure->attempts = attempts;
	failure->fresh = door->attempts;
}

/* Learns an alias: a name that is no configured node's and replaced the one in our last beat is another monitor's. */
static void learn_alias(struct node *node, const struct beat_result *beat)
{
	const struct cluster *cluster = node->cluster;
	const char *name = beat->before.master;
	const struct bearer *bearer;

	if (!beat->replaced || cluster->beats.count == 0 || name[0] == '\0' ||
	    beat->before.tstamp <= history_newest(&cluster->beats))
		return;
	for (bearer = naming_first(&node->fleet->names, name); bearer != NULL;
	     bearer = naming_next(bearer)) {
		if (bearer->is_id)
			return;
	}
	/* an alias may move to another master (an address that fails over): earlier masters lose it */
	fleet_take_alias(node->fleet, name);
	if (!node_has_alias(node, name))
		fleet_give_alias(node->fleet, node, name);
}

static void take_beat(const struct fleet *fleet, struct node *node, const struct observation *seen,
		      const struct moment *now)
{
	const struct beat_result *beat = &seen->beat;

	if (!sits(node))
		return;
	if (beat->state == BEAT_WRITTEN) {
		learn_alias(node, beat);
		cluster_take_beat(node->fleet, node->cluster, beat->tstamp, now->steady_ms, false);
	} else if (beat->state != BEAT_NONE) {
		note_failure(fleet, node, seen, false, beat->reason, beat->message, now);
		node->failure.answered = true;
		node->failure.beat_locked = beat->state == BEAT_LOCKED;
		if (node->failure.beat_locked && node->failure.locked_ms == INT64_MIN)
			node->failure.locked_ms = now->steady_ms;
	}
}

/*
 * Whether a node is lost because fresh connections failed. Only a fresh one that succeeds brings it back, even if they
 * now fail for a reason in hold_on.
 */
static bool stays_out(const struct node *node)
{
	return node->place == PLACE_LOST && node->failure.attempts > 0 &&
	       node->failure.reason == REASON_NO_NEW_CONNECTIONS;
}

static void note_kept(struct node *node, const struct observation *seen,
		      const struct moment *now)
{
	node->kept = seen->kept;
	if (seen->kept)
		node->stood_ms = now->steady_ms;
	else if (seen->kept_ended_ms > node->stood_ms) /* fleet_reconnect() may have moved stood_ms on */
		node->stood_ms = seen->kept_ended_ms;
}

static void note_answer(struct node *node, const struct moment *now)
{
	gauge_set(&node->meter->answered_ms, now->steady_ms);
	node->went_ms = INT64_MIN;
	node_vouch(node, 0, 0);
	node_take_votes(node, NULL, false);
}

static void observe(const struct fleet *fleet, struct node *node, const struct observation *seen,
		    const struct moment *now)
{
	node->seen = (struct sight){
		.kind = seen->kind, .row_state = seen->row_state, .asked_ms = seen->asked_ms, .row.tstamp = seen->row.tstamp,
	};
	text_copy(node->seen.row.master, sizeof(node->seen.row.master), seen->row.master);
	node_touch(node);
	if (seen->server_version > 0)
		node->server_version = seen->server_version;
	if (seen->kind != OBSERVED_NOTHING || !seen->kept)
		shown_note(node->shown, seen, now);
	note_kept(node, seen, now);
	if (seen->kind == OBSERVED_NOTHING)
		return;
	node->door = REASON_NONE;
	if (seen->kind != OBSERVED_FAILURE)
		note_answer(node, now);
	/* it is not down any more; the next rule says why it stays lost, if it does */
	if (seen->kind == OBSERVED_MASTER && node->place == PLACE_LOST && node->failure.attempts > 0)
		node_give_reason(node, REASON_NONE, "");
	if (seen->door.reason != REASON_NONE && holds(fleet, seen->door.reason) &&
	    !stays_out(node)) {
		node->door = seen->door.reason;
		words_keep(&node->shown->door, seen->door.message, MESSAGE_BYTES);
	} else if (seen->door.reason != REASON_NONE) {
		note_shut_door(fleet, node, seen, now);
		return;
	}
	switch (seen->kind) {
	case OBSERVED_NOTHING:
		return;
	case OBSERVED_FAILURE:
		note_failure(fleet, node, seen, seen->going, seen->reason, seen->message, now);
		return;
	case OBSERVED_MASTER:
		if (!sits(node) || seen->beat.state == BEAT_NONE || seen->beat.state == BEAT_WRITTEN)
			node->failure.attempts = 0;
		node->failure.going = false;
		take_beat(fleet, node, seen, now);
		node->is_slave = false;
		node->master_name[0] = '\0';
		break;
	case OBSERVED_SLAVE:
		node->failure.attempts = 0;
		node->in_time = false; /* if it becomes a master, it was promoted since */
		node->is_slave = true;
		if (seen->row_state == ROW_SHOWN)
			text_copy(node->master_name, NAME_BYTES, seen->row.master);
		break;
	}
	node->known = true;
}

/* Makes the other entries of the same server fail: they are its twins now. */
static void fail_twins(struct node *node, const struct moment *now)
{
	const struct bearer *bearer = NULL;
	struct observation failure;

	while ((bearer = kin_next_twin(node->fleet, node, bearer)) != NULL) {
		kin_fail(bearer->node, NULL, &failure);
		observe(node->fleet, bearer->node, &failure, now);
	}
}

void node_observe(const struct fleet *fleet, struct node *node, const struct observation *seen,
		  const struct moment *now)
{
	struct observation failure;

	if (kin_take(node->fleet, node, seen, now))
		fail_twins(node, now);
	if (node->kin.twin == NULL || (seen->kind != OBSERVED_MASTER && seen->kind != OBSERVED_SLAVE)) {
		observe(fleet, node, seen, now);
		return;
	}
	kin_fail(node, seen, &failure);
	observe(fleet, node, &failure, now);
}

void node_forget(struct node *node)
{
	node->seen.kind = OBSERVED_NOTHING;
}

/* Returns when P1 ends: INT64_MAX while the kept connection stands; INT64_MIN: P1 does not hold the node. */
static int64_t hold_ends(const struct fleet *fleet, const struct node *node)
{
	const struct failure *failure = &node->failure;

	if (!failure->may_hold || (!failure->kept && node->stood_ms == INT64_MIN))
		return INT64_MIN;
	return failure->kept ? INT64_MAX
			     : node->stood_ms + fleet->config->max_sync_delay_ms;
}

static int64_t restart_grace_ends(const struct fleet *fleet, const struct node *node)
{
	return node->failure.going ? node->failure.silent_ms + fleet->config->restart_grace_ms
				   : INT64_MIN;
}

/*
 * Returns when P5 ends: max_sync_delay after the last beat. If that beat was too old already when the first lock
 * was met, something else kept beats away (a heartbeat above max_sync_delay, a hold, a monitor that slept), and P5
 * ends max_sync_delay after that first lock.
 */
static int64_t beat_patience_ends(const struct fleet *fleet, const struct node *node)
{
	int64_t patience_ms = fleet->config->max_sync_delay_ms;
	int64_t locked_ms = node->failure.locked_ms;
	const struct history *beats;

	if (!node->failure.beat_locked || !sits(node))
		return INT64_MIN;
	beats = &node->cluster->beats;
	if (beats->count == 0 || beats->last_steady_ms + patience_ms <= locked_ms)
		return locked_ms + patience_ms;
	return beats->last_steady_ms + patience_ms;
}

static bool still_failing(const struct fleet *fleet, const struct node *node,
			  const struct moment *now)
{
	if (!node_is_in_place(node) || node->failure.reason == REASON_SAME_SERVER)
		return false;
	return node->failure.attempts < fleet->config->down_after ||
	       now->steady_ms < fleet_cut_off_ends(fleet) ||
	       now->steady_ms < hold_ends(fleet, node) ||
	       now->steady_ms < restart_grace_ends(fleet, node) ||
	       now->steady_ms < node_vouch_ends(node) ||
	       now->steady_ms < node_others_end(node) ||
	       now->steady_ms < beat_patience_ends(fleet, node);
}

enum verdict node_verdict(const struct fleet *fleet, const struct node *node,
			  const struct moment *now)
{
	if (node->seen.kind == OBSERVED_NOTHING)
		return VERDICT_NONE;
	if (node->failure.attempts > 0)
		return still_failing(fleet, node, now) ? VERDICT_FAILING : VERDICT_DOWN;
	return node->seen.kind == OBSERVED_MASTER ? VERDICT_MASTER : VERDICT_SLAVE;
}

bool node_is_failing(const struct node *node)
{
	return node->failure.attempts > 0 && node_is_in_place(node);
}

enum reason node_is_held(const struct fleet *fleet, const struct node *node,
			 const struct moment *now, const char **message)
{
	*message = node->shown->door;
	if (node->door != REASON_NONE)
		return node->door;
	*message = node->shown->failure;
	return node_is_failing(node) && now->steady_ms < hold_ends(fleet, node)
		       ? node->failure.reason
		       : REASON_NONE;
}

/* Returns the rule that keeps a failing node in place the longest, and sets its end; RULE_NONE and INT64_MIN: none. */
static enum rule kept_longest(const struct fleet *fleet, const struct node *node, int64_t *ends_ms)
{
	const struct {
		enum rule rule;
		int64_t ends_ms;
	} kept[] = {
		{ RULE_P1, hold_ends(fleet, node) },
		{ RULE_P2, restart_grace_ends(fleet, node) },
		{ RULE_P5, beat_patience_ends(fleet, node) },
		{ RULE_P6, node_vouch_ends(node) },
		{ RULE_P8, node_others_end(node) },
		{ RULE_P7, fleet_cut_off_ends(fleet) },
	};
	enum rule rule = RULE_NONE;

	*ends_ms = INT64_MIN;
	if (node->failure.reason == REASON_SAME_SERVER)
		return RULE_NONE;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		if (kept[i].ends_ms > *ends_ms) {
			*ends_ms = kept[i].ends_ms;
			rule = kept[i].rule;
		}
	}
	return rule;
}

enum rule node_kept_by(const struct fleet *fleet, const struct node *node,
		       const struct moment *now, int64_t *ends_ms)
{
	enum rule rule = kept_longest(fleet, node, ends_ms);

	if (rule != RULE_NONE && *ends_ms > now->steady_ms)
		return rule;
	*ends_ms = INT64_MIN;
	if (node->failure.reason == REASON_SAME_SERVER)
		return RULE_NONE;
	return node->failure.attempts < fleet->config->down_after ? RULE_P3 : RULE_NONE;
}

bool node_would_fall(const struct fleet *fleet, const struct node *node, enum reason reason,
		     const struct moment *now)
{
	const struct config *config = fleet->config;
	int64_t ends_ms;
	enum rule rule;

	if (!node_is_in_place(node) || node->cluster->starting ||
	    node->failure.attempts + 1 < config->down_after)
		return false;
	if (config->hold_on[reason] && node->stood_ms != INT64_MIN &&
	    now->steady_ms < node->stood_ms + config->max_sync_delay_ms)
		return false;
	if (node->failure.attempts == 0)
		return true;
	rule = node_kept_by(fleet, node, now, &ends_ms);
	return rule == RULE_NONE || rule == RULE_P3 || rule == RULE_P6 || rule == RULE_P8;
}

bool node_wants_opinion(const struct fleet *fleet, const struct node *node, enum reason reason,
			const struct moment *now)
{
	return fleet->config->second_opinion && node->place == PLACE_MASTER && !node->failure.others_see &&
	       !fleet_is_cut_off(fleet) &&
	       node_would_fall(fleet, node, reason, now);
}

int64_t node_grace_ends(const struct fleet *fleet, const struct node *node)
{
	int64_t ends_ms;
	enum rule rule;

	if (!node_is_failing(node) || node->failure.attempts + 1 < fleet->config->down_after)
		return INT64_MAX;
	rule = kept_longest(fleet, node, &ends_ms);
	return rule == RULE_NONE || rule == RULE_P6 ? INT64_MAX : ends_ms;
}

bool node_is_at_stake(const struct fleet *fleet, const struct node *node, const struct moment *now)
{
	enum rule rule;
	int64_t ends_ms;

	if (!node_is_in_place(node) || node->failure.attempts == 0)
		return node_is_in_place(node) && node->door == REASON_NONE;
	rule = node_kept_by(fleet, node, now, &ends_ms);
	return rule != RULE_P1 && rule != RULE_P5;
}

int64_t node_pause_length(const struct fleet *fleet, const struct node *node,
			  const struct pause *pause, const struct moment *now)
{
	int64_t least_ms = fleet->config->retry_interval_ms;

	return node_is_at_stake(fleet, node, now) ? least_ms : pause_length(pause, least_ms);
}

bool holder_answers(const struct fleet *fleet, const struct node *holder, const struct moment *now)
{
	if (holder->failure.attempts == 0 || (holder->failure.may_hold && holder->failure.kept))
		return true;
	return holder->failure.beat_locked && now->steady_ms < beat_patience_ends(fleet, holder);
}
