/*
 * A reload: nodes that come, go and stay; rounds that are not finished when one
 * comes; times that are others from then on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/aliases.h"
#include "support/stand.h"

/* Goes over to these nodes as the monitor does: open rounds first, then the fleet. */
static void reload(const char *const *ids, size_t count, int64_t max_sync_delay_ms)
{
	struct config *next = kit_config(ids, count);
	struct moment moment = now();
	struct list removed = { 0 };
	struct node *node;

	next->max_sync_delay_ms = max_sync_delay_ms;
	next->recover_sync_delay_ms = max_sync_delay_ms;
	fleet_reload(at.fleet, next, &moment, &removed);
	config_unref(&next);
	while ((node = list_shift(&removed)) != NULL) {
		round_forget(&at.round, node);
		node_free(&node);
	}
	list_free(&removed);
}

static void test_fleet(void **state)
{
	static const char *const next_ids[] = { "c", "new", "a" };
	struct moment moment = now();
	const struct node *d = at.d;

	(void)state;
	fleet_move(at.b, at.cluster, PLACE_LOST, &moment);
	reload(next_ids, 3, 120000);
	assert_int_equal(at.fleet->node_count, 3);
	assert_ptr_equal(at.cluster->seat, at.a);
	assert_int_equal(at.cluster->members.count, 2);
	assert_ptr_equal(at.cluster->members.items[0], at.c); /* in the new order */
	assert_int_equal(at.c->place, PLACE_SLAVE);
	assert_int_equal(at.c->order, 0);
	assert_ptr_equal(at.c->config, &at.fleet->config->nodes[0]);
	assert_true(at.c->has_shown);
	assert_int_equal(kit_node(at.fleet, "new")->place, PLACE_CLUSTERLESS);
	assert_false(kit_node(at.fleet, "new")->known);
	assert_ptr_equal(fleet_named(at.fleet, NULL, "new"), kit_node(at.fleet, "new"));
	assert_null(fleet_named(at.fleet, NULL, "b"));
	assert_false(list_has(&at.cluster->members, d));
}

static void test_all_leave(void **state)
{
	(void)state;
	reload(NULL, 0, 120000);
	assert_int_equal(at.fleet->node_count, 0);
	assert_null(at.cluster->seat);
	assert_null(cluster_master(at.cluster));
	assert_int_equal(at.cluster->members.count, 0);
	assert_null(fleet_named(at.fleet, NULL, "a"));
	fleet_drop_cluster(at.fleet, at.cluster);
}

/* Of the name that left the seat: the slaves' rows go on counting when it is back. */
static void test_holder_comes_back(void **state)
{
	static const char *const without[] = { "b", "c" };
	static const char *const with[] = { "b", "c", "a" };
	const struct node *a;

	(void)state;
	reload(without, 2, 120000);
	assert_null(at.cluster->seat);
	assert_int_equal(at.b->place, PLACE_SLAVE);
	reload(with, 3, 120000);
	a = kit_node(at.fleet, "a");
	assert_int_equal(a->place, PLACE_CLUSTERLESS);
	assert_int_equal(cluster_holder(at.cluster, a)->last_tstamp, KIT_BASE_MS);
}

static void test_reserved_id(void **state)
{
	static const char *const next_ids[] = { "a", "b", "c" };

	(void)state;
	assert_int_equal(fleet_reserve_id(at.fleet, at.d), 1);
	reload(next_ids, 3, 120000);
	assert_int_equal(at.fleet->next_id, 1);
}

/* a is down, b and c say master: the beat of b (M4) is under way. */
static void begin_election(void)
{
	see(at.a, kit_failure(REASON_REFUSED, false));
	see(at.b, kit_master());
	see(at.c, kit_master());
	round_begin(&at.round, at.fleet, at.cluster);
	assert_true(step());
	assert_ptr_equal(at.wanted, at.b);
}

static void test_candidate_leaves(void **state)
{
	static const char *const next_ids[] = { "a", "c" };

	(void)state;
	begin_election();
	reload(next_ids, 2, 120000);
	assert_true(step());
	assert_ptr_equal(at.wanted, at.c);
	answer(BEAT_WRITTEN);
	assert_false(step());
	assert_ptr_equal(at.cluster->seat, at.c);
	assert_int_equal(events(), 1);
	assert_int_equal(change_of(at.c, RULE_M4)->event, EVENT_MASTER_UP);
}

static void test_later_candidate_leaves(void **state)
{
	static const char *const next_ids[] = { "a", "b" };

	(void)state;
	begin_election();
	reload(next_ids, 2, 120000);
	answer(BEAT_FAILED);
	assert_false(step());
	assert_null(at.cluster->seat);
	assert_int_equal(change_of(at.a, RULE_M2)->event, EVENT_MASTER_DOWN);
	assert_int_equal(change_of(at.b, RULE_M5)->event, EVENT_SLAVE_DOWN);
}

/* T7: it has left the seat already, and nobody is told. */
static void test_holder_leaves_while_it_goes_down(void **state)
{
	static const char *const next_ids[] = { "b", "c" };

	(void)state;
	begin_election();
	reload(next_ids, 2, 120000);
	answer(BEAT_FAILED);
	assert_true(step());
	answer(BEAT_FAILED);
	assert_false(step());
	assert_null(at.cluster->seat);
	assert_int_equal(events(), 2); /* slave_down of b and c, no master_down */
	assert_int_equal(at.round.changes.count, 2);
}

/* T7: M5 has spoken, and nobody is told. */
static void test_refused_leaves(void **state)
{
	static const char *const next_ids[] = { "a", "c" };

	(void)state;
	begin_election();
	answer(BEAT_FAILED);
	assert_true(step());
	assert_ptr_equal(at.wanted, at.c);
	reload(next_ids, 2, 120000);
	answer(BEAT_WRITTEN);
	assert_false(step());
	assert_ptr_equal(at.cluster->seat, at.c);
	assert_int_equal(events(), 1);
	assert_int_equal(at.round.changes.count, 2); /* M2, M4 */
}

/* The connection is made anew while its beat is under way. */
static void test_beat_is_repeated(void **state)
{
	(void)state;
	begin_election();
	round_repeat(&at.round);
	assert_null(at.round.trying);
	assert_true(step());
	assert_ptr_equal(at.wanted, at.b);
	answer(BEAT_WRITTEN);
	assert_ptr_equal(at.cluster->seat, at.b);
	round_repeat(&at.round); /* nothing under way: nothing is repeated */
	assert_true(step());
	assert_ptr_equal(at.wanted, at.c); /* M6 */
}

static void beats_until(int64_t end_ms)
{
	for (; at.ms <= end_ms; at.ms += 1000)
		see_beaten(at.a);
	at.ms = end_ms;
	node_forget(at.a);
}

/* What was dropped under the old max_sync_delay makes nobody in sync under a greater one. */
static void test_sync_delay_grows(void **state)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	struct moment moment;

	(void)state;
	reload(names, 4, 5000);
	beats_until(200000);
	moment = now();
	fleet_move(at.b, at.cluster, PLACE_LOST, &moment);
	fleet_move(at.c, at.cluster, PLACE_LOST, &moment);
	reload(names, 4, 60000);
	see(at.b, kit_slave("a", KIT_BASE_MS + 100000));
	see(at.c, kit_slave("a", KIT_BASE_MS + 170000));
	assert_int_equal(rule_for_member(at.fleet, at.b, &moment).rule, RULE_L2);
	assert_int_equal(rule_for_member(at.fleet, at.c, &moment).rule, RULE_L4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fleet, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_all_leave, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_holder_comes_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reserved_id, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_candidate_leaves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_later_candidate_leaves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_holder_leaves_while_it_goes_down, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_refused_leaves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_beat_is_repeated, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sync_delay_grows, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
