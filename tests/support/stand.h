/*
 * A stand for unit tests of rounds: cluster 0 with master a and slaves b and c,
 * d clusterless, all well; and one round that a test steps by hand. One per
 * program, so its state is here.
 */
#pragma once

#include "support/kit.h"

static const char *const stand_ids[] = { "a", "b", "c", "d" };

static struct {
	struct config *config;
	struct fleet *fleet;
	struct cluster *cluster; /* 0: a sits, b and c are slaves; d is clusterless */
	struct node *a, *b, *c, *d;
	int64_t ms;
	struct round round;
	struct node *wanted; /* whose beat the round wants */
	struct beat_order order;
} at;

static inline struct moment now(void)
{
	return kit_moment(at.ms, KIT_BASE_MS);
}

static inline int set_up(void **state)
{
	struct moment start = kit_moment(0, KIT_BASE_MS);

	(void)state;
	at.ms = 0;
	at.config = kit_config(stand_ids, 4);
	at.fleet = fleet_new(at.config, &start);
	at.a = at.fleet->nodes[0];
	at.b = at.fleet->nodes[1];
	at.c = at.fleet->nodes[2];
	at.d = at.fleet->nodes[3];
	at.fleet->next_id = 1;
	at.cluster = fleet_add_cluster(at.fleet, 0);
	fleet_move(at.a, at.cluster, PLACE_MASTER, &start);
	fleet_move(at.b, at.cluster, PLACE_SLAVE, &start);
	fleet_move(at.c, at.cluster, PLACE_SLAVE, &start);
	history_add(&at.cluster->beats, KIT_BASE_MS, 0, true, 120000);
	at.b->has_shown = at.c->has_shown = true;
	at.b->shown_tstamp = at.c->shown_tstamp = KIT_BASE_MS;
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	round_end(&at.round);
	fleet_free(&at.fleet);
	config_unref(&at.config);
	return 0;
}

static inline void see(struct node *node, struct observation seen)
{
	struct moment moment = now();

	node_observe(at.fleet, node, &seen, &moment);
}

/* The sitting master says master, its beat is written. */
static inline void see_beaten(struct node *node)
{
	struct observation seen = kit_master();

	seen.beat = kit_beat(BEAT_WRITTEN, KIT_BASE_MS + at.ms);
	see(node, seen);
}

static inline bool step(void)
{
	struct moment moment = now();

	return round_step(&at.round, &moment, &at.wanted, &at.order);
}

static inline void answer(enum beat_state state)
{
	struct moment moment = now();
	struct beat_result beat = kit_beat(state, at.order.tstamp);

	round_take_beat(&at.round, &moment, &beat);
}

static inline const struct change *change_of(const struct node *node, enum rule rule)
{
	for (size_t i = 0; i < at.round.changes.count; i++) {
		if (at.round.changes.items[i].node == node && at.round.changes.items[i].rule == rule)
			return &at.round.changes.items[i];
	}
	return NULL;
}

static inline size_t events(void)
{
	size_t count = 0;

	for (size_t i = 0; i < at.round.changes.count; i++)
		count += at.round.changes.items[i].event != EVENT_NONE;
	return count;
}
