/*
 * Plays what a scenario's line says against the core: beats, rounds of all
 * clusters by id, then of the clusterless nodes, and the monitor's start.
 */
#pragma once

#include "core/vouch.h"
#include "support/play.h"

static inline void stage_remember_beat(struct play *play, const struct node *node, int64_t tstamp)
{
	if (play->beat_count == PLAY_BEATS)
		return;
	play->beats[play->beat_count].node = node->config->id;
	play->beats[play->beat_count].at_ms = play->steady_ms;
	play->beats[play->beat_count++].tstamp = tstamp;
}

/* What the server answers to a beat: greatest(ordered, row + 1). */
static inline struct beat_result stage_beat(struct play *play, const struct node *node,
					    const struct beat_order *order)
{
	const struct part *part = &play->parts[node->order];
	struct beat_result beat = kit_beat(part->beat, order->tstamp);

	if (part->beat_reason != REASON_NONE)
		beat.reason = part->beat_reason;
	if (part->beat != BEAT_WRITTEN)
		return beat;
	beat.replaced = part->has_over;
	beat.before = part->over;
	if (part->has_over && part->over.tstamp >= beat.tstamp)
		beat.tstamp = part->over.tstamp + 1;
	stage_remember_beat(play, node, beat.tstamp);
	return beat;
}

static inline void stage_observe(struct play *play, struct node *node, struct observation seen)
{
	struct moment now = play_now(play);

	if (seen.kind == OBSERVED_MASTER && node->place == PLACE_MASTER) {
		struct beat_order order = fleet_beat_order(node->cluster, node, &now);

		seen.beat = stage_beat(play, node, &order);
	}
	if (play->parts[node->order].vouched_ms != 0)
		node_vouch(node, play->parts[node->order].vouched_ms, 1);
	if (seen.kind == OBSERVED_FAILURE)
		node_take_votes(node, NULL, play->parts[node->order].others);
	node_observe(play->fleet, node, &seen, &now);
}

static inline void stage_founded(struct play *play, int id)
{
	if (play->founded_count == PLAY_NODES)
		return;
	play->founded[play->founded_count].id = id;
	play->founded[play->founded_count++].at_ms = play->steady_ms;
}

static inline void stage_take_changes(struct play *play, const struct changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		const struct change *change = &changes->items[i];

		play_fact(play, change->node, change->rule);
		if (change->event != EVENT_NONE)
			play_event(play, change->event,
				   change->event != EVENT_PLUSMOIN_UP ? change->node : NULL,
				   change->event != EVENT_PLUSMOIN_UP ? change->rule : RULE_NONE,
				   change->cluster->id);
		if (change->to_place == PLACE_MASTER && change->rule != RULE_M4)
			stage_founded(play, change->to->id);
	}
}

static inline bool stage_changed(const struct round *round, const struct node *node)
{
	for (size_t i = 0; i < round->changes.count; i++) {
		if (round->changes.items[i].node == node &&
		    round->changes.items[i].rule != RULE_M3)
			return true;
	}
	return false;
}

static inline enum rule stage_quiet_rule(const struct play *play, const struct node *node)
{
	struct moment now = play_now(play);

	switch (node->place) {
	case PLACE_SLAVE:
	case PLACE_LOST:
		return rule_for_member(play->fleet, node, &now).rule;
	case PLACE_CLUSTERLESS:
		return rule_for_clusterless(play->fleet, node, &now).rule;
	case PLACE_MASTER:
		break;
	}
	return RULE_NONE;
}

/* The rules that changed nothing: asked again for the nodes that stayed where they are. */
static inline void stage_quiet_rulings(struct play *play, const struct round *round,
				       const struct sight *seen, struct node *const *members)
{
	for (size_t i = 0; i < play->fleet->node_count; i++) {
		struct node *node = play->fleet->nodes[i];

		if (members[i] == NULL || node->cluster != round->cluster ||
		    stage_changed(round, node))
			continue;
		node->seen = seen[i];
		play_fact(play, node, stage_quiet_rule(play, node));
		node_forget(node);
	}
}

static inline void stage_finish(struct play *play, struct round *round)
{
	struct moment now = play_now(play);
	struct beat_order order;
	struct node *node;

	while (round_step(round, &now, &node, &order)) {
		struct beat_result beat = stage_beat(play, node, &order);

		if (beat.state == BEAT_FAILED || beat.state == BEAT_LOCKED)
			play_fact(play, node, node->cluster != NULL ? RULE_M5 : RULE_NONE);
		round_take_beat(round, &now, &beat);
	}
	round_sort(round);
	stage_take_changes(play, &round->changes);
}

static inline void stage_round(struct play *play, struct cluster *cluster)
{
	struct sight seen[PLAY_NODES];
	struct node *members[PLAY_NODES] = { NULL };
	struct moment now = play_now(play);
	struct round round;

	for (size_t i = 0; i < play->fleet->node_count; i++) {
		seen[i] = play->fleet->nodes[i]->seen;
		if (play->fleet->nodes[i]->cluster == cluster)
			members[i] = play->fleet->nodes[i];
	}
	if (cluster != NULL && cluster->seat != NULL)
		play_fact(play, cluster->seat, rule_for_holder(play->fleet, cluster->seat, &now));
	round_begin(&round, play->fleet, cluster);
	stage_finish(play, &round);
	stage_quiet_rulings(play, &round, seen, members);
	round_end(&round);
	if (cluster != NULL && cluster->members.count == 0)
		fleet_drop_cluster(play->fleet, cluster);
}

static inline void stage_rounds(struct play *play)
{
	struct cluster *clusters[PLAY_NODES];
	size_t count = 0;

	for (size_t i = 0; i < play->fleet->clusters.count && count < PLAY_NODES; i++)
		clusters[count++] = play->fleet->clusters.items[i];
	for (size_t i = 0; i < count; i++)
		stage_round(play, clusters[i]);
	stage_round(play, NULL);
}

static inline int64_t stage_founded_at(const struct play *play, int id)
{
	for (size_t i = play->founded_count; i > 0; i--) {
		if (play->founded[i - 1].id == id)
			return play->founded[i - 1].at_ms;
	}
	return 0;
}

/* A look during the start: masters found clusters, those whose wait is over are up. */
static inline void stage_start(struct play *play)
{
	struct moment now = play_now(play);
	struct awaited_situation wait = { .logging_in = play->logging_in, .strangers_asked = true };
	struct round round;

	round_begin(&round, play->fleet, NULL);
	round.starting = true;
	stage_finish(play, &round);
	round_end(&round);
	wait.strangers = awaited_look(play->fleet, &now);
	for (size_t i = 0; i < play->fleet->clusters.count; i++) {
		struct cluster *cluster = play->fleet->clusters.items[i];
		struct changes changes = { 0 };

		wait.waited_ms = play->steady_ms - stage_founded_at(play, cluster->id);
		if (!cluster->starting ||
		    awaited_is_over(play->fleet, cluster, &wait) == AWAITED_YET) /* this line is the last look */
			continue;
		awaited_place(play->fleet, cluster, &now, &changes);
		cluster->starting = false;
		play_event(play, EVENT_PLUSMOIN_UP, NULL, RULE_NONE, cluster->id);
		stage_take_changes(play, &changes);
		changes_free(&changes);
	}
}
