/* Rounds between whose steps the fleet changes: what is seen while a beat is being written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/kit.h"

static const char *const ids[] = { "a", "b", "c" };

/* Cluster 0 with master a and slaves b and c, which show its first beat. */
struct bench {
	struct config *config;
	struct fleet *fleet;
	struct cluster *cluster;
	struct node *a, *b, *c;
	struct moment now;
	struct round round;
};

static void bench_make(struct bench *bench)
{
	*bench = (struct bench){ .config = kit_config(ids, 3), .now = kit_moment(0, KIT_BASE_MS) };
	bench->fleet = fleet_new(bench->config, &bench->now);
	bench->cluster = fleet_add_cluster(
		bench->fleet, fleet_reserve_id(bench->fleet, bench->fleet->nodes[0]));
	fleet_settle_id(bench->fleet, bench->fleet->nodes[0], true);
	bench->a = bench->fleet->nodes[0];
	bench->b = bench->fleet->nodes[1];
	bench->c = bench->fleet->nodes[2];
	fleet_move(bench->a, bench->cluster, PLACE_MASTER, &bench->now);
	fleet_move(bench->b, bench->cluster, PLACE_SLAVE, &bench->now);
	fleet_move(bench->c, bench->cluster, PLACE_SLAVE, &bench->now);
	history_add(&bench->cluster->beats, KIT_BASE_MS, 0, true, 120000);
	bench->now = kit_moment(60000, KIT_BASE_MS);
}

static void bench_free(struct bench *bench)
{
	round_end(&bench->round);
	fleet_free(&bench->fleet);
	config_unref(&bench->config);
}

static void sees(struct bench *bench, struct node *node, struct observation seen)
{
	node_observe(bench->fleet, node, &seen, &bench->now);
}

/* The next beat wanted is `node`'s. */
static struct beat_order wants(struct bench *bench, const struct node *node)
{
	struct beat_order order;
	struct node *got = NULL;

	assert_true(round_step(&bench->round, &bench->now, &got, &order));
	assert_ptr_equal(got, node);
	assert_string_equal(order.master, node->config->id);
	return order;
}

static void takes(struct bench *bench, enum beat_state state, int64_t tstamp)
{
	struct beat_result beat = kit_beat(state, tstamp);

	round_take_beat(&bench->round, &bench->now, &beat);
}

static void ends(struct bench *bench)
{
	struct beat_order order;
	struct node *node;

	assert_false(round_step(&bench->round, &bench->now, &node, &order));
	assert_false(round_step(&bench->round, &bench->now, &node, &order));
	round_sort(&bench->round);
}

/* a is failing (P2), b says master: its beat is asked for, with the cluster's id. */
static void begin_promotion(struct bench *bench)
{
	struct beat_order order;

	bench_make(bench);
	sees(bench, bench->a, kit_failure(REASON_SHUTTING_DOWN, true));
	sees(bench, bench->b, kit_master());
	round_begin(&bench->round, bench->fleet, bench->cluster);
	order = wants(bench, bench->b);
	assert_int_equal(order.cluster_id, 0);
	assert_true(order.tstamp > KIT_BASE_MS);
}

static void test_promotion(void **state)
{
	struct bench bench;

	(void)state;
	begin_promotion(&bench);
	takes(&bench, BEAT_WRITTEN, KIT_BASE_MS + 60000);
	ends(&bench);
	assert_int_equal(bench.round.changes.items[0].event, EVENT_MASTER_UP);
	assert_ptr_equal(bench.round.changes.items[0].node, bench.b);
	assert_ptr_equal(bench.cluster->seat, bench.b);
	assert_int_equal(bench.a->place, PLACE_LOST);
	assert_int_equal(bench.round.changes.count, 2);
	bench_free(&bench);
}

static void test_holder_answers_meanwhile(void **state)
{
	struct bench bench;
	struct observation seen = kit_master();

	(void)state;
	begin_promotion(&bench);
	seen.beat = kit_beat(BEAT_WRITTEN, KIT_BASE_MS + 60000);
	sees(&bench, bench.a, seen);
	takes(&bench, BEAT_WRITTEN, KIT_BASE_MS + 60001);
	ends(&bench);
	assert_ptr_equal(bench.cluster->seat, bench.a);
	assert_int_equal(bench.b->place, PLACE_SLAVE);
	assert_int_equal(bench.round.changes.count, 0);
	bench_free(&bench);
}

static void test_holder_is_demoted_meanwhile(void **state)
{
	struct bench bench;

	(void)state;
	begin_promotion(&bench);
	sees(&bench, bench.a, kit_slave("a", KIT_BASE_MS));
	takes(&bench, BEAT_WRITTEN, KIT_BASE_MS + 60000);
	ends(&bench);
	assert_ptr_equal(bench.cluster->seat, bench.b);
	assert_int_equal(bench.a->place, PLACE_SLAVE);
	for (size_t i = 0; i < bench.round.changes.count; i++)
		assert_true(bench.round.changes.items[i].event == EVENT_NONE ||
			    bench.round.changes.items[i].event == EVENT_MASTER_UP);
	bench_free(&bench);
}

static void test_beat_says_nothing(void **state)
{
	struct bench bench;

	(void)state;
	begin_promotion(&bench);
	takes(&bench, BEAT_NONE, 0);
	ends(&bench);
	assert_ptr_equal(bench.cluster->seat, bench.a);
	assert_int_equal(bench.b->place, PLACE_SLAVE);
	assert_int_equal(bench.round.changes.count, 0);
	bench_free(&bench);
}

/* Another cluster's round takes the candidate away while its beat is being written. */
static void test_candidate_leaves_meanwhile(void **state)
{
	struct bench bench;
	struct cluster *other;

	(void)state;
	begin_promotion(&bench);
	other = fleet_add_cluster(bench.fleet, 1);
	fleet_move(bench.b, other, PLACE_LOST, &bench.now);
	takes(&bench, BEAT_WRITTEN, KIT_BASE_MS + 60000);
	ends(&bench);
	assert_ptr_equal(bench.cluster->seat, bench.a);
	assert_ptr_equal(bench.b->cluster, other);
	assert_null(other->seat);
	assert_int_equal(bench.round.changes.count, 0);
	bench_free(&bench);
}

static void test_beat_orders_grow(void **state)
{
	struct bench bench;
	struct moment early = kit_moment(-5000, KIT_BASE_MS);
	struct moment same = kit_moment(0, KIT_BASE_MS);

	(void)state;
	bench_make(&bench);
	assert_int_equal(fleet_beat_order(bench.cluster, bench.a, &early).tstamp, KIT_BASE_MS + 1);
	assert_int_equal(fleet_beat_order(bench.cluster, bench.a, &same).tstamp, KIT_BASE_MS + 1);
	assert_int_equal(fleet_beat_order(bench.cluster, bench.a, &bench.now).tstamp,
			 KIT_BASE_MS + 60000);
	round_begin(&bench.round, bench.fleet, NULL);
	ends(&bench);
	bench_free(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_promotion),
		cmocka_unit_test(test_holder_answers_meanwhile),
		cmocka_unit_test(test_holder_is_demoted_meanwhile),
		cmocka_unit_test(test_beat_says_nothing),
		cmocka_unit_test(test_candidate_leaves_meanwhile),
		cmocka_unit_test(test_beat_orders_grow),
	};

	return cmocka_run_group_tests_name("round", tests, NULL, NULL);
}
