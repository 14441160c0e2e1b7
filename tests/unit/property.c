/*
 * The rules against a random world: servers crash, come back, are promoted,
 * demoted, re-pointed; beats fail; clocks are set; the monitor restarts. After
 * every round what must always hold is checked, now and then that a frozen
 * world is left in peace and that a healthy one is seen as it is.
 * Environment: ROUNDS (100000), SEED (of the clock). On failure: seed, round, trace.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "core/start.h"
#include "support/world.h"

#define TRACE_LINES 60
#define SETTLE_ROUNDS 12
#define CALM_ROUNDS 8
#define MAX_IDS (1 << 22)

static struct {
	struct world world;
	struct config *config;
	struct fleet *fleet;
	bool placed[WORLD_SERVERS]; /* was once in a cluster, in this run */
	unsigned char *used;	    /* cluster ids, in this run */
	long round;
	uint64_t seed;
	long checks, events, restarts, calms, converged;
	long rules[RULES];
	char *trace[TRACE_LINES];
	size_t traced;
} run;

static struct moment now(void)
{
	return kit_moment(run.world.steady_ms, run.world.base_ms);
}

__attribute__((format(printf, 1, 2))) static void trace(const char *format, ...)
{
	char **line = &run.trace[run.traced++ % TRACE_LINES];
	va_list args;

	free(*line);
	va_start(args, format);
	*line = mem_vprintf(format, args);
	va_end(args);
}

__attribute__((noreturn)) static void give_up(const char *what, const struct node *node)
{
	size_t first = run.traced > TRACE_LINES ? run.traced - TRACE_LINES : 0;

	for (size_t i = first; i < run.traced; i++)
		fprintf(stderr, "  %s\n", run.trace[i % TRACE_LINES]);
	fprintf(stderr, "property: round %ld, seed %" PRIu64 ": %s%s%s\n", run.round, run.seed, what,
		node != NULL ? ": " : "", node != NULL ? node->config->id : "");
	printf("%ld passed, 1 failed\n", run.checks);
	exit(1);
}

static void must(bool holds, const char *what, const struct node *node)
{
	run.checks++;
	if (!holds)
		give_up(what, node);
}

static int order_of(const struct node *node)
{
	return (int)node->order;
}

/* ---- what must hold of the state ---- */

static void check_cluster(const struct cluster *cluster, int *found)
{
	size_t masters = 0;

	must(cluster->members.count > 0, "an empty cluster was not dropped", NULL);
	for (size_t i = 0; i < cluster->members.count; i++) {
		const struct node *node = cluster->members.items[i];

		found[node->order]++;
		must(node->cluster == cluster, "a member points elsewhere", node);
		must(node->place != PLACE_CLUSTERLESS, "a member without a place", node);
		must(i == 0 || ((struct node *)cluster->members.items[i - 1])->order < node->order,
		     "members out of configured order", node);
		masters += node->place == PLACE_MASTER;
		must((node->place == PLACE_MASTER) == (cluster->seat == node),
		     "seat and place disagree", node);
	}
	must(masters <= 1, "two masters in a cluster", NULL);
	must(cluster->seat == NULL || cluster->sat_last == NULL, "a filled seat remembers", NULL);
}

static void check_state(void)
{
	int found[WORLD_SERVERS] = { 0 };

	for (size_t i = 0; i < run.fleet->clusters.count; i++)
		check_cluster(run.fleet->clusters.items[i], found);
	for (size_t i = 0; i < run.fleet->node_count; i++) {
		const struct node *node = run.fleet->nodes[i];

		must(found[i] == (node->cluster != NULL), "a node is not in exactly one place",
		     node);
		must(node->cluster != NULL || node->place == PLACE_CLUSTERLESS,
		     "a clusterless node with a place", node);
		must(node->cluster != NULL || !run.placed[i], "clusterless again", node);
		run.placed[i] |= node->cluster != NULL;
	}
}

/* ---- what must hold of a round's changes ---- */

struct standing {
	const struct cluster *cluster;
	enum place place;
};

static void check_order(const struct round *round)
{
	for (size_t i = 1; i < round->changes.count; i++) {
		const struct change *before = &round->changes.items[i - 1];
		const struct change *change = &round->changes.items[i];

		if (change->event == EVENT_NONE)
			continue;
		must(before->event != EVENT_NONE && before->event <= change->event,
		     "T4: events out of order", change->node);
		must(before->event != change->event || before->node->order < change->node->order,
		     "T4: nodes out of order", change->node);
	}
}

static bool fired(const struct round *round, const struct node *node, enum event_kind kind)
{
	for (size_t i = 0; i < round->changes.count; i++) {
		if (round->changes.items[i].node == node && round->changes.items[i].event == kind)
			return true;
	}
	return false;
}

static void check_event(const struct round *round, const struct change *change,
			const struct standing *before)
{
	const struct node *node = change->node;

	run.events++;
	must(before->cluster != node->cluster || before->place != node->place,
	     "an event without a change of place", node);
	switch (change->event) {
	case EVENT_CLUSTER_CREATED:
		must(node->place == PLACE_MASTER && !fired(round, node, EVENT_MASTER_UP),
		     "T6: cluster_created", node);
		break;
	case EVENT_MASTER_DOWN:
		must(before->place == PLACE_MASTER && round->cluster->seat == NULL &&
			     !fired(round, node, EVENT_SLAVE_DOWN),
		     "T1, T5: master_down", node);
		break;
	case EVENT_MASTER_UP:
		must(round->cluster->seat == node && round->seat_before != node &&
			     !fired(round, node, EVENT_SLAVE_DOWN) &&
			     !fired(round, node, EVENT_SLAVE_UP),
		     "T2, T5: master_up", node);
		break;
	case EVENT_SLAVE_DOWN:
		must(before->place == PLACE_SLAVE && node->place == PLACE_LOST, "T3: slave_down",
		     node);
		break;
	case EVENT_SLAVE_UP:
		must(node->place == PLACE_SLAVE, "T3: slave_up", node);
		break;
	case EVENT_NONE:
	case EVENT_PLUSMOIN_UP:
	case EVENT_HEARTBEAT:
	case EVENT_KINDS:
		must(false, "an event that no change fires", node);
	}
}

static void check_founded(const struct change *change)
{
	if (change->rule != RULE_U2 && change->rule != RULE_M6)
		return;
	must(change->to->id >= 0 && change->to->id < MAX_IDS && !run.used[change->to->id],
	     "a cluster's id was used before", change->node);
	run.used[change->to->id] = 1;
}

static void check_seat_events(const struct round *round)
{
	const struct node *seat = round->cluster != NULL ? round->cluster->seat : NULL;

	if (round->cluster == NULL)
		return;
	if (seat == NULL && round->seat_before != NULL)
		must(fired(round, round->seat_before, EVENT_MASTER_DOWN), "T1: no master_down",
		     round->seat_before);
	if (seat != NULL && seat != round->seat_before)
		must(fired(round, seat, EVENT_MASTER_UP), "T2: no master_up", seat);
}

static void check_changes(const struct round *round, const struct standing *before)
{
	for (size_t i = 0; i < round->changes.count; i++) {
		const struct change *change = &round->changes.items[i];

		trace("%ld t=%.3f %s %s: %s -> %s %d %s", run.round,
		      (double)run.world.steady_ms / 1000.0, rule_name(change->rule),
		      change->node->config->id, place_name(change->from_place),
		      place_name(change->to_place), change->to != NULL ? change->to->id : -1,
		      event_kind_name(change->event));
		run.rules[change->rule]++;
		check_founded(change);
		if (change->event != EVENT_NONE)
			check_event(round, change, &before[change->node->order]);
	}
	check_order(round);
	check_seat_events(round);
}

/* ---- rounds ---- */

static size_t step_all(struct round *round)
{
	struct moment at = now();
	struct beat_order order;
	struct node *node;

	while (round_step(round, &at, &node, &order)) {
		struct beat_result beat = world_beat(&run.world, order_of(node), &order);

		round_take_beat(round, &at, &beat);
	}
	round_sort(round);
	return round->changes.count;
}

/* The same observations at the same moment once more: nothing may change. */
static void again(struct cluster *cluster, const struct observation *seen,
		  const struct standing *before)
{
	struct round round;

	for (size_t i = 0; i < run.fleet->node_count; i++) {
		struct node *node = run.fleet->nodes[i];

		if (before[i].cluster == cluster && node->cluster == cluster)
			node->seen = seen[i];
	}
	round_begin(&round, run.fleet, cluster);
	if (step_all(&round) > 0) {
		const struct change *change = &round.changes.items[0];

		trace("again: %s %s", rule_name(change->rule), change->node->config->id);
		give_up("the same round twice changes something", change->node);
	}
	run.checks++;
	round_end(&round);
}

static size_t play(struct cluster *cluster)
{
	struct observation seen[WORLD_SERVERS];
	struct standing before[WORLD_SERVERS];
	struct round round;
	size_t events = 0;

	for (size_t i = 0; i < run.fleet->node_count; i++) {
		seen[i] = run.fleet->nodes[i]->seen;
		before[i] = (struct standing){ run.fleet->nodes[i]->cluster,
					       run.fleet->nodes[i]->place };
	}
	round_begin(&round, run.fleet, cluster);
	(void)step_all(&round);
	check_changes(&round, before);
	for (size_t i = 0; i < round.changes.count; i++)
		events += round.changes.items[i].event != EVENT_NONE;
	round_end(&round);
	again(cluster, seen, before);
	if (cluster != NULL && cluster->members.count == 0)
		fleet_drop_cluster(run.fleet, cluster);
	check_state();
	return events;
}

static void observe(struct node *node)
{
	struct moment at = now();
	struct observation seen = world_look(&run.world, order_of(node));

	if (seen.kind == OBSERVED_MASTER && node->place == PLACE_MASTER) {
		struct beat_order order = fleet_beat_order(node->cluster, node, &at);

		seen.beat = world_beat(&run.world, order_of(node), &order);
	}
	node_observe(run.fleet, node, &seen, &at);
}

static size_t play_all(void)
{
	struct cluster *clusters[WORLD_SERVERS];
	size_t count = run.fleet->clusters.count;
	size_t events = 0;

	for (size_t i = 0; i < run.fleet->node_count; i++) {
		if (!run.world.servers[i].silent)
			observe(run.fleet->nodes[i]);
	}
	for (size_t i = 0; i < count; i++)
		clusters[i] = run.fleet->clusters.items[i];
	for (size_t i = 0; i < count; i++)
		events += play(clusters[i]);
	return events + play(NULL);
}

/* ---- the monitor's start ---- */

static void start_monitor(void)
{
	struct round round;
	struct moment at;

	fleet_free(&run.fleet);
	if (world_chance(&run.world, 50))
		world_regroup(&run.world);
	run.world.base_ms = KIT_BASE_MS + (int64_t)world_random(&run.world, 7200000) - 3600000;
	at = now();
	run.fleet = fleet_new(run.config, &at);
	memset(run.placed, 0, sizeof(run.placed));
	memset(run.used, 0, MAX_IDS);
	for (size_t i = 0; i < run.fleet->node_count; i++)
		observe(run.fleet->nodes[i]);
	round_begin(&round, run.fleet, NULL);
	round.starting = true;
	(void)step_all(&round);
	for (size_t i = 0; i < round.changes.count; i++) {
		check_founded(&round.changes.items[i]);
		must(round.changes.items[i].event == EVENT_NONE, "an event at the start", NULL);
	}
	round_end(&round);
	world_replicate(&run.world);
	for (size_t i = 0; i < run.fleet->clusters.count; i++) {
		struct changes changes = { 0 };

		start_place(run.fleet, run.fleet->clusters.items[i], &at, &changes);
		changes_free(&changes);
	}
	check_state();
	trace("%ld the monitor starts", run.round);
	run.restarts++;
}

/* ---- the world goes on ---- */

static void let_time_pass(int64_t ms)
{
	struct world *world = &run.world;

	world->steady_ms += ms;
	if (world->other_monitor) {
		for (int i = 0; i < WORLD_SERVERS; i++)
			world_other_beat(world, i);
	}
	world_replicate(world);
}

static void stir(void)
{
	struct world *world = &run.world;

	while (world_chance(world, 40))
		world_mishap(world);
	if (world_chance(world, 1) && world_chance(world, 20))
		start_monitor();
	for (int i = 0; i < WORLD_SERVERS; i++)
		world->servers[i].silent = world_chance(world, 5);
	let_time_pass(world_chance(world, 50) ? 60000 : (int64_t)world_random(world, 90000));
}

static void settle(int rounds)
{
	for (int i = 0; i < WORLD_SERVERS; i++)
		run.world.servers[i].silent = false;
	for (int i = 0; i < rounds; i++) {
		let_time_pass(60000);
		(void)play_all();
	}
}

static void check_calm(void)
{
	settle(SETTLE_ROUNDS);
	for (int i = 0; i < CALM_ROUNDS; i++) {
		let_time_pass(60000);
		must(play_all() == 0, "an event in a frozen world", NULL);
	}
	run.calms++;
}

static void check_grouping(void)
{
	world_heal(&run.world);
	settle(SETTLE_ROUNDS);
	for (int i = 0; i < WORLD_SERVERS; i++) {
		const struct node *node = run.fleet->nodes[i];
		const struct node *root = run.fleet->nodes[world_root(&run.world, i)];

		must(root->place == PLACE_MASTER, "a healthy master holds no seat", root);
		must(node->cluster == root->cluster, "not in its master's cluster", node);
		must(node == root || node->place == PLACE_SLAVE, "a healthy slave is no slave",
		     node);
	}
	run.converged++;
}

static long number(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? atol(text) : otherwise;
}

static void configure(void)
{
	run.config = kit_config(world_ids, WORLD_SERVERS);
	run.config->down_after = 1 + (int)world_random(&run.world, 3);
	run.config->recover_sync_delay_ms = 30000 * (1 + (int64_t)world_random(&run.world, 4));
}

/* What the world brought about; a rule that never spoke was not checked. */
static void print_rules(void)
{
	static const enum rule wanted[] = { RULE_M2, RULE_M3, RULE_M4, RULE_M5, RULE_M6, RULE_S1,
					    RULE_S2, RULE_S3, RULE_L3, RULE_L4, RULE_U2, RULE_U3 };

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		printf(" %s %ld", rule_name(wanted[i]), run.rules[wanted[i]]);
		must(run.rules[wanted[i]] > 0 || run.round < 50000, rule_name(wanted[i]), NULL);
	}
	printf("\n");
}

int main(void)
{
	long rounds = number("ROUNDS", 100000);

	run.seed = (uint64_t)number("SEED", (long)time(NULL));
	printf("property: seed %" PRIu64 ", %ld rounds\n", run.seed, rounds);
	fflush(stdout);
	world_init(&run.world, run.seed);
	run.used = mem_zalloc(MAX_IDS, 1);
	configure();
	start_monitor();
	for (run.round = 1; run.round <= rounds; run.round++) {
		stir();
		(void)play_all();
		if (run.round % 500 == 0)
			check_calm();
		if (run.round % 1000 == 0)
			check_grouping();
	}
	printf("property: %ld events, %ld restarts, %ld frozen worlds, %ld healthy ones\n", run.events,
	       run.restarts, run.calms, run.converged);
	print_rules();
	printf("%ld passed, 0 failed\n", run.checks);
	fleet_free(&run.fleet);
	config_unref(&run.config);
	free(run.used);
	for (size_t i = 0; i < TRACE_LINES; i++)
		free(run.trace[i]);
	return 0;
}
