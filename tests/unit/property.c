/*
 * The rules against a random world: servers crash, come back, are promoted,
 * demoted, re-pointed; beats fail; clocks are set; the monitor restarts. After
 * every round what must always hold is checked, now and then that a frozen
 * world is left in peace and that a healthy one is seen as it is.
 * Environment: ROUNDS (100000), SEED (1: `make test` never fails by chance, the longer runs take the clock's).
 * On failure: seed, round, trace.
 */
#include "core/awaited.h"
#include "support/oracle.h"

#define SETTLE_ROUNDS 12
#define CALM_ROUNDS 20
#define CALM_EVERY 200
#define GROUPING_EVERY 400

/* ---- rounds ---- */

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

/* While the beat of `trying` is under way another node's answer comes, of a world that went on. */
static void disturb(const struct node *trying)
{
	struct node *node = run.fleet->nodes[world_random(&run.world, WORLD_SERVERS)];

	if (node == trying || world_chance(&run.world, 70))
		return;
	if (world_chance(&run.world, 50))
		world_mishap(&run.world);
	observe(node);
	run.disturbances++;
}

static size_t step_all(struct round *round, bool disturbed)
{
	struct moment at = now();
	struct beat_order order;
	struct node *node;

	while (round_step(round, &at, &node, &order)) {
		struct beat_result beat;

		if (disturbed)
			disturb(node);
		beat = world_beat(&run.world, order_of(node), &order);
		round_take_beat(round, &at, &beat);
	}
	round_sort(round);
	return round->changes.count;
}

/* The same observations at the same moment once more: nothing may change. */
static void again(struct cluster *cluster, const struct sight *seen,
		  const struct standing *before)
{
	struct round round;

	for (size_t i = 0; i < run.fleet->node_count; i++) {
		struct node *node = run.fleet->nodes[i];

		if (before[i].cluster == cluster && node->cluster == cluster)
			node->seen = seen[i];
	}
	round_begin(&round, run.fleet, cluster);
	if (step_all(&round, false) > 0) {
		const struct change *change = &round.changes.items[0];

		trace("again: %s %s", rule_name(change->rule), change->node->config->id);
		give_up("the same round twice changes something", change->node);
	}
	run.checks++;
	round_end(&round);
}

static size_t play(struct cluster *cluster)
{
	struct sight seen[WORLD_SERVERS];
	struct standing before[WORLD_SERVERS];
	struct round round;
	long disturbances = run.disturbances;
	size_t events = 0;

	for (size_t i = 0; i < run.fleet->node_count; i++) {
		seen[i] = run.fleet->nodes[i]->seen;
		before[i] = (struct standing){ run.fleet->nodes[i]->cluster,
					       run.fleet->nodes[i]->place };
	}
	round_begin(&round, run.fleet, cluster);
	(void)step_all(&round, run.restless);
	check_changes(&round, before);
	for (size_t i = 0; i < round.changes.count; i++)
		events += round.changes.items[i].event != EVENT_NONE;
	round_end(&round);
	if (run.disturbances == disturbances)
		again(cluster, seen, before);
	if (cluster != NULL && cluster->members.count == 0)
		fleet_drop_cluster(run.fleet, cluster);
	check_state();
	return events;
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

/* Another file each time the monitor starts. */
static void configure(void)
{
	run.config->down_after = 1 + (int)world_random(&run.world, 3);
	run.config->restart_grace_ms = 10000 * (int64_t)world_random(&run.world, 3);
	run.config->recover_sync_delay_ms = 30000 * (1 + (int64_t)world_random(&run.world, 4));
	for (size_t i = 0; i < run.config->node_count; i++) { /* some have delays of their own */
		struct config_node *node = &run.config->nodes[i];

		node->max_sync_delay_ms = 60000 * (int64_t)world_random(&run.world, 6);
		node->recover_sync_delay_ms = node->max_sync_delay_ms / 2;
	}
}

static void start_monitor(void)
{
	struct round round;
	struct moment at;

	fleet_free(&run.fleet);
	board_unref(&run.board);
	run.board = board_new();
	configure();
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
	(void)step_all(&round, false);
	for (size_t i = 0; i < round.changes.count; i++) {
		check_founded(&round.changes.items[i]);
		must(round.changes.items[i].event == EVENT_NONE, "an event at the start", NULL);
	}
	round_end(&round);
	world_replicate(&run.world);
	(void)awaited_look(run.fleet, &at);
	for (size_t i = 0; i < run.fleet->clusters.count; i++) {
		struct changes changes = { 0 };

		awaited_place(run.fleet, run.fleet->clusters.items[i], &at, &changes);
		((struct cluster *)run.fleet->clusters.items[i])->starting = false;
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

	run.restless = true;
	while (world_chance(world, 40))
		world_mishap(world);
	if (world_chance(world, 1) && world_chance(world, 20))
		start_monitor();
	for (int i = 0; i < WORLD_SERVERS; i++)
		world->servers[i].silent = world_chance(world, 5);
	if (world_chance(world, 30))
		let_time_pass((int64_t)world_random(world, 4000)); /* an early round */
	else
		let_time_pass(world_chance(world, 70) ? 60000 : (int64_t)world_random(world, 90000));
}

static void settle(int rounds)
{
	run.restless = false;
	for (int i = 0; i < WORLD_SERVERS; i++)
		run.world.servers[i].silent = false;
	for (int i = 0; i < rounds; i++) {
		let_time_pass(60000);
		(void)play_all();
	}
}

/*
 * Whether some node shows a row ahead of its master's: one of an earlier life of that master, which
 * was re-based since, by a clock that was fast. It counts as in sync until the beats have caught up, and
 * for its max_sync_delay (less than SETTLE_ROUNDS) after that.
 */
static bool is_ahead_of_its_master(void)
{
	for (int i = 0; i < WORLD_SERVERS; i++) {
		const struct cluster *cluster = run.fleet->nodes[i]->cluster;

		if (cluster != NULL && cluster->seat != NULL &&
		    run.world.servers[i].row.tstamp >
			    run.world.servers[order_of(cluster->seat)].row.tstamp)
			return true;
	}
	return false;
}

/* Whether the world itself stands still while time passes: replicating once more changes no row. */
static bool is_frozen(void)
{
	struct world later = run.world;

	world_replicate(&later);
	for (int i = 0; i < WORLD_SERVERS; i++) {
		const struct server *server = &run.world.servers[i];

		if (later.servers[i].has_row != server->has_row ||
		    later.servers[i].row.tstamp != server->row.tstamp ||
		    strcmp(later.servers[i].row.master, server->row.master) != 0)
			return false;
	}
	return true;
}

static void check_calm(void)
{
	bool was_ahead = false;

	for (int i = 0; i < SETTLE_ROUNDS; i++) {
		was_ahead = was_ahead || is_ahead_of_its_master();
		settle(1);
	}
	if (was_ahead || is_ahead_of_its_master())
		return;
	for (int i = 0; i < CALM_ROUNDS; i++) {
		let_time_pass(60000);
		must(is_frozen(), "rows move in a frozen world", NULL);
		must(play_all() == 0, "an event in a frozen world", NULL);
	}
	run.calms++;
}

/* Masters in their own clusters, their slaves with them. */
static void check_followers(void)
{
	for (int i = 0; i < WORLD_SERVERS; i++) {
		const struct node *node = run.fleet->nodes[i];
		int at = world_root(&run.world, i);
		const struct node *root = at >= 0 ? run.fleet->nodes[at] : NULL;

		if (root == NULL)
			continue;
		must(root->place == PLACE_MASTER, "a healthy master holds no seat", root);
		must(node->cluster == root->cluster, "not in its master's cluster", node);
		must(node == root || node->place == PLACE_SLAVE, "a healthy slave is no slave",
		     node);
	}
}

/* One of a healthy world dies, what is left is seen as it is; it comes back. */
static void check_death(void)
{
	int at = (int)world_random(&run.world, WORLD_SERVERS);
	const struct node *node = run.fleet->nodes[at];
	const struct cluster *cluster = node->cluster;

	run.world.servers[at].alive = false;
	run.world.servers[at].going = world_chance(&run.world, 50);
	settle(SETTLE_ROUNDS);
	must(node->place == PLACE_LOST && node->cluster == cluster, "a dead node is not lost", node);
	check_followers();
	run.world.servers[at].alive = true;
	settle(SETTLE_ROUNDS);
	check_followers();
}

static void check_grouping(void)
{
	world_heal(&run.world);
	settle(SETTLE_ROUNDS);
	check_followers();
	check_death();
	run.converged++;
}

static long number(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? atol(text) : otherwise;
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

	run.seed = (uint64_t)number("SEED", 1);
	printf("property: seed %" PRIu64 ", %ld rounds\n", run.seed, rounds);
	fflush(stdout);
	world_init(&run.world, run.seed);
	run.used = mem_zalloc(MAX_IDS, 1);
	run.config = kit_config(world_ids, WORLD_SERVERS);
	start_monitor();
	for (run.round = 1; run.round <= rounds; run.round++) {
		stir();
		(void)play_all();
		if (run.round % CALM_EVERY == 0)
			check_calm();
		if (run.round % GROUPING_EVERY == 0)
			check_grouping();
	}
	printf("property: %ld events, %ld restarts, %ld frozen worlds, %ld healthy ones\n", run.events,
	       run.restarts, run.calms, run.converged);
	print_rules();
	printf("%ld checks held\n1 passed, 0 failed\n", run.checks);
	fleet_free(&run.fleet);
	board_unref(&run.board);
	config_unref(&run.config);
	free(run.used);
	for (size_t i = 0; i < TRACE_LINES; i++)
		free(run.trace[i]);
	return 0;
}
