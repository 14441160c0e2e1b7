/*
 * A world of simulated servers for the property run: roles, replication that
 * may lag, crashes, promotions, locked beats, another monitor with other names.
 * All from one random seed; time only goes on.
 */
#pragma once

#include "support/kit.h"

#define WORLD_SERVERS 7

struct server {
	bool alive;
	bool going; /* while it is not alive: it said so */
	bool silent; /* nothing comes from it in a round (no answer yet) */
	bool master;
	bool paused;  /* replication stands still */
	bool unreadable; /* the row is locked */
	bool lock;    /* beats meet a lock */
	bool broken;  /* beats fail */
	int upstream; /* of a slave */
	bool has_row;
	struct row row;
};

struct world {
	uint64_t random;
	int64_t steady_ms;
	int64_t base_ms; /* the monitor's wall clock at steady time 0 */
	bool other_monitor;
	bool one_name; /* by an address that follows the master: while there is one alone */
	struct server servers[WORLD_SERVERS];
};

static const char *const world_ids[WORLD_SERVERS] = { "c", "a", "f", "b", "g", "d", "e" };

/* xorshift64*: the same rounds everywhere for a seed. */
static inline uint64_t world_random(struct world *world, uint64_t below)
{
	world->random ^= world->random >> 12;
	world->random ^= world->random << 25;
	world->random ^= world->random >> 27;
	return (world->random * 2685821657736338717ULL >> 16) % below;
}

static inline bool world_chance(struct world *world, unsigned percent)
{
	return world_random(world, 100) < percent;
}

/* Two clusters again, all well; what rows there were stay. */
static inline void world_regroup(struct world *world)
{
	for (int i = 0; i < WORLD_SERVERS; i++) {
		struct server *server = &world->servers[i];

		*server = (struct server){ .alive = true,
					   .master = i == 0 || i == 4,
					   .upstream = i < 4 ? 0 : 4,
					   .has_row = server->has_row,
					   .row = server->row };
	}
}

static inline void world_init(struct world *world, uint64_t seed)
{
	*world = (struct world){ .random = seed * 2654435761ULL + 88172645463325252ULL,
				 .base_ms = KIT_BASE_MS };
	world_regroup(world);
}

/* The master at the head of a server's chain, -1 when the chain is broken. */
static inline int world_root(const struct world *world, int at)
{
	for (int steps = 0; steps <= WORLD_SERVERS; steps++) {
		if (!world->servers[at].alive)
			return -1;
		if (world->servers[at].master)
			return at;
		at = world->servers[at].upstream;
	}
	return -1;
}

/* Whether a slave follows itself, over others that all replicate: a ring, which has no head. */
static inline bool world_is_in_ring(const struct world *world, int at)
{
	int next = at;

	for (int steps = 0; steps < WORLD_SERVERS; steps++) {
		const struct server *server = &world->servers[next];

		if (!server->alive || server->master || server->paused)
			return false;
		next = server->upstream;
		if (next == at)
			return true;
	}
	return false;
}

static inline void world_replay(struct world *world, int at)
{
	struct server *server = &world->servers[at];
	const struct server *from = &world->servers[server->upstream];

	if (!server->alive || server->master || server->paused || !from->alive || !from->has_row)
		return;
	if (server->has_row && from->row.tstamp <= server->row.tstamp && world_is_in_ring(world, at))
		return;
	server->has_row = true;
	server->row = from->row;
}

/*
 * Every slave that replicates shows its upstream's row, upstreams first. One that was re-pointed may so show
 * an older row than before: somebody has re-based it. In a ring of slaves rows only go forward, as WAL does,
 * until all show the newest of them: nobody re-bases servers in turn for ever.
 */
static inline void world_replicate(struct world *world)
{
	for (int pass = 0; pass < WORLD_SERVERS; pass++) {
		for (int i = 0; i < WORLD_SERVERS; i++)
			world_replay(world, i);
	}
}

static inline int world_masters(const struct world *world)
{
	int count = 0;

	for (int i = 0; i < WORLD_SERVERS; i++)
		count += world->servers[i].master;
	return count;
}

/* The other monitor beats through `at` under its own name, its clock 130 s behind. */
static inline void world_other_beat(struct world *world, int at)
{
	struct server *server = &world->servers[at];
	int64_t stamp = KIT_BASE_MS + world->steady_ms - 130000;

	if (!server->alive || !server->master || server->lock || server->broken)
		return;
	if (server->has_row && server->row.tstamp >= stamp)
		stamp = server->row.tstamp + 1;
	server->has_row = true;
	server->row.tstamp = stamp;
	(void)snprintf(server->row.master, sizeof(server->row.master), "other-%s",
		       world->one_name && world_masters(world) == 1 ? "vip" : world_ids[at]);
}

static inline struct beat_result world_beat(struct world *world, int at,
					    const struct beat_order *order)
{
	struct server *server = &world->servers[at];
	struct beat_result beat = kit_beat(BEAT_WRITTEN, order->tstamp);

	if (!server->alive || !server->master || server->broken)
		return kit_beat(BEAT_FAILED, 0);
	if (server->lock)
		return kit_beat(BEAT_LOCKED, 0);
	beat.replaced = server->has_row;
	beat.before = server->row;
	if (server->has_row && server->row.tstamp >= beat.tstamp)
		beat.tstamp = server->row.tstamp + 1;
	server->has_row = true;
	server->row.tstamp = beat.tstamp;
	text_copy(server->row.master, sizeof(server->row.master), order->master);
	return beat;
}

static inline struct observation world_look(const struct world *world, int at)
{
	const struct server *server = &world->servers[at];
	struct observation seen;

	if (!server->alive)
		return kit_failure(server->going ? REASON_SHUTTING_DOWN : REASON_REFUSED,
				   server->going);
	if (server->master)
		return kit_master();
	seen = kit_slave(server->has_row ? server->row.master : NULL, server->row.tstamp);
	if (server->unreadable)
		seen.row_state = ROW_LOCKED;
	return seen;
}

static inline void world_repoint(struct world *world, int at)
{
	int to = (int)world_random(world, WORLD_SERVERS);
	int root = world_root(world, to);

	if (to == at || root < 0 || root == at)
		return;
	world->servers[at].master = false;
	world->servers[at].upstream = to;
}

/* One thing happens to a server. */
static inline void world_mishap(struct world *world)
{
	int at = (int)world_random(world, WORLD_SERVERS);
	struct server *server = &world->servers[at];

	switch (world_random(world, 13)) {
	case 0:
	case 1:
		server->alive = false;
		server->going = world_chance(world, 50);
		break;
	case 2:
	case 3:
	case 4:
		server->alive = true;
		break;
	case 5:
		server->master = server->master || server->alive;
		break;
	case 6:
	case 7:
		world_repoint(world, at); /* also demotes a master */
		break;
	case 8:
		server->paused = !server->paused;
		break;
	case 9:
		server->lock = !server->lock && world_chance(world, 50);
		break;
	case 10:
		server->broken = !server->broken && world_chance(world, 50);
		break;
	case 11:
		server->unreadable = !server->unreadable && world_chance(world, 50);
		break;
	default:
		world->other_monitor = !world->other_monitor;
		world->one_name = world_chance(world, 50);
		break;
	}
}

/* Everything works again; nobody's role or upstream changes. A lone slave gets an upstream. */
static inline void world_heal(struct world *world)
{
	for (int i = 0; i < WORLD_SERVERS; i++) {
		struct server *server = &world->servers[i];

		*server = (struct server){ .alive = true,
					   .master = server->master,
					   .upstream = server->upstream,
					   .has_row = server->has_row,
					   .row = server->row };
	}
	for (int i = 0; i < WORLD_SERVERS; i++) {
		if (world_root(world, i) < 0)
			world->servers[i].master = true; /* a ring of slaves */
	}
}
