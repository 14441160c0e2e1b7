/*
 * What happens to a round between its steps: answers that come while a beat is
 * under way, nodes that another round moves, a round that is not finished. And
 * what the monitor asks the rules between rounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/awaited.h"
#include "support/stand.h"

/* a is going, b says master: its beat (M4) is under way. */
static void begin_takeover(void)
{
	at.ms = 60000;
	see(at.a, kit_failure(REASON_SHUTTING_DOWN, true));
	see(at.b, kit_master());
	round_begin(&at.round, at.fleet, at.cluster);
	assert_true(step());
	assert_ptr_equal(at.wanted, at.b);
	assert_int_equal(at.order.cluster_id, 0);
}

static void test_holder_answers_meanwhile(void **state)
{
	(void)state;
	begin_takeover();
	see_beaten(at.a);
	answer(BEAT_WRITTEN);
	assert_ptr_equal(at.cluster->seat, at.a);
	assert_true(step()); /* b is tried once more, with an id of its own: M6 */
	assert_ptr_equal(at.wanted, at.b);
	assert_int_equal(at.order.cluster_id, 1);
	answer(BEAT_WRITTEN);
	assert_false(step());
	assert_ptr_equal(at.cluster->seat, at.a);
	assert_int_equal(at.b->cluster->id, 1);
	assert_int_equal(events(), 1);
	assert_int_equal(change_of(at.b, RULE_M6)->event, EVENT_CLUSTER_CREATED);
}

/* Who says master while another's beat is written has its turn in the same round, once. */
static void test_answers_meanwhile(void **state)
{
	(void)state;
	see(at.a, kit_failure(REASON_REFUSED, false));
	see(at.b, kit_master());
	round_begin(&at.round, at.fleet, at.cluster);
	assert_true(step());
	assert_ptr_equal(at.wanted, at.b);
	see(at.c, kit_master());
	answer(BEAT_FAILED);
	assert_true(step());
	assert_ptr_equal(at.wanted, at.c);
	see(at.b, kit_master());
	answer(BEAT_WRITTEN);
	assert_false(step());
	assert_ptr_equal(at.cluster->seat, at.c);
	assert_int_equal(change_of(at.c, RULE_M4)->event, EVENT_MASTER_UP);
	assert_int_equal(at.b->place, PLACE_LOST);
}

static void test_holder_demoted_meanwhile(void **state)
{
	(void)state;
	begin_takeover();
	see(at.a, kit_slave("b", KIT_BASE_MS + 60000));
	answer(BEAT_WRITTEN);
	assert_false(step());
	assert_ptr_equal(at.cluster->seat, at.b);
	assert_int_equal(at.a->place, PLACE_SLAVE);
	assert_non_null(change_of(at.a, RULE_M3));
	assert_int_equal(events(), 1);
	assert_int_equal(change_of(at.b, RULE_M4)->event, EVENT_MASTER_UP);
}

static void test_holder_goes_down_meanwhile(void **state)
{
	(void)state;
	begin_takeover();
	at.ms += 10000;
	see(at.a, kit_failure(REASON_REFUSED, false));
	answer(BEAT_WRITTEN);
	assert_false(step());
	assert_ptr_equal(at.cluster->seat, at.b);
	assert_int_equal(at.a->place, PLACE_LOST);
	assert_int_equal(change_of(at.a, RULE_M2)->reason, REASON_REFUSED);
	assert_int_equal(events(), 1);
	assert_int_equal(change_of(at.b, RULE_M4)->event, EVENT_MASTER_UP);
}

static void test_holder_still_failing(void **state)
{
	(void)state;
	begin_takeover();
	answer(BEAT_WRITTEN);
	assert_false(step());
	assert_ptr_equal(at.cluster->seat, at.b);
	assert_int_equal(at.a->place, PLACE_LOST);
	assert_int_equal(change_of(at.a, RULE_M4)->reason, REASON_SHUTTING_DOWN);
	assert_int_equal(at.a->reason, REASON_SHUTTING_DOWN);
	assert_int_equal(events(), 1);
}

/* Our own fault: the beat says nothing, so nobody moves. */
static void test_beat_says_nothing(void **state)
{
	(void)state;
	begin_takeover();
	answer(BEAT_NONE);
	assert_false(step());
	assert_int_equal(at.round.changes.count, 0);
	assert_ptr_equal(at.cluster->seat, at.a);
	assert_int_equal(at.b->place, PLACE_SLAVE);
	round_end(&at.round);
	see_beaten(at.a);
	see(at.b, kit_master());
	round_begin(&at.round, at.fleet, at.cluster);
	assert_true(step());
	assert_int_equal(at.order.cluster_id, 1);
	answer(BEAT_NONE);
	assert_false(step());
	round_end(&at.round); /* it may have been written: the next attempt has the same id */
	see_beaten(at.a);
	see(at.b, kit_master());
	round_begin(&at.round, at.fleet, at.cluster);
	assert_true(step());
	assert_int_equal(at.order.cluster_id, 1);
	assert_int_equal(at.fleet->next_id, 2);
}

/* An answer that comes while a beat is under way counts in the open round. */
static void test_late_answer_counts(void **state)
{
	struct moment moment = now();

	(void)state;
	fleet_move(at.c, at.cluster, PLACE_LOST, &moment);
	begin_takeover();
	see(at.c, kit_slave("a", KIT_BASE_MS));
	answer(BEAT_WRITTEN);
	assert_false(step());
	assert_int_equal(at.c->place, PLACE_SLAVE);
	assert_int_equal(change_of(at.c, RULE_L4)->event, EVENT_SLAVE_UP);
	round_sort(&at.round);
	assert_int_equal(at.round.changes.items[0].event, EVENT_MASTER_UP);
	assert_int_equal(at.round.changes.items[1].event, EVENT_SLAVE_UP);
	assert_int_equal(at.c->seen.kind, OBSERVED_NOTHING); /* and is used up */
}

/* T2: the old holder, down when the round began, takes its seat again while b's beat is refused. */
static void test_holder_takes_its_seat_again(void **state)
{
	struct observation refused = kit_master();

	(void)state;
	refused.beat = kit_beat(BEAT_FAILED, 0);
	see(at.a, refused);
	see(at.b, kit_master());
	round_begin(&at.round, at.fleet, at.cluster);
	assert_true(step());
	assert_ptr_equal(at.wanted, at.b);
	see(at.a, kit_master());
	answer(BEAT_FAILED);
	assert_true(step());
	assert_ptr_equal(at.wanted, at.a);
	answer(BEAT_WRITTEN);
	assert_false(step());
	assert_ptr_equal(at.cluster->seat, at.a);
	assert_int_equal(events(), 1);
	assert_int_equal(change_of(at.b, RULE_M5)->event, EVENT_SLAVE_DOWN);
}

/* M5, then its answer as a slave while c's beat is under way: L4 speaks in the next round. */
static void test_refused_then_slave(void **state)
{
	(void)state;
	see(at.a, kit_failure(REASON_REFUSED, false));
	see(at.b, kit_master());
	see(at.c, kit_master());
	round_begin(&at.round, at.fleet, at.cluster);
	assert_true(step());
	answer(BEAT_FAILED);
	assert_true(step());
	assert_ptr_equal(at.wanted, at.c);
	see(at.b, kit_slave("a", KIT_BASE_MS));
	answer(BEAT_WRITTEN);
	assert_false(step());
	assert_int_equal(at.b->place, PLACE_LOST);
	assert_int_equal(events(), 2);
	round_end(&at.round);
	see(at.b, kit_slave("a", KIT_BASE_MS));
	round_begin(&at.round, at.fleet, at.cluster);
	assert_false(step());
	assert_int_equal(change_of(at.b, RULE_L4)->event, EVENT_SLAVE_UP);
}

/* Ids and beats of a cluster that is not the first. */
static void test_orders_of_a_later_cluster(void **state)
{
	struct moment moment = now();

	(void)state;
	at.cluster->id = 3;
	at.fleet->next_id = 7;
	at.cluster->beats.beats[0].tstamp += 500;
	see(at.a, kit_failure(REASON_REFUSED, false));
	see(at.b, kit_master());
	see(at.c, kit_master());
	round_begin(&at.round, at.fleet, at.cluster);
	assert_true(step());
	assert_int_equal(at.order.cluster_id, 3);
	assert_string_equal(at.order.master, "b");
	assert_true(at.order.tstamp == moment.stamp_ms + 501);
	answer(BEAT_FAILED);
	assert_true(step());
	assert_int_equal(at.order.cluster_id, 3);
	answer(BEAT_WRITTEN);
	assert_false(step());
	assert_false(step()); /* it stays ended */
	assert_int_equal(at.fleet->next_id, 7);
}

/* Two rounds try the same clusterless master: the second result finds it gone. */
static void test_gone_meanwhile(void **state)
{
	struct round other;
	struct moment moment = now();
	struct beat_result beat = kit_beat(BEAT_WRITTEN, KIT_BASE_MS + 1);

	(void)state;
	see(at.d, kit_master());
	round_begin(&at.round, at.fleet, NULL);
	assert_true(step());
	round_begin(&other, at.fleet, NULL);
	assert_true(round_step(&other, &moment, &at.wanted, &at.order));
	round_take_beat(&other, &moment, &beat);
	assert_false(round_step(&other, &moment, &at.wanted, &at.order));
	round_end(&other);
	assert_int_equal(at.d->cluster->id, 1);
	answer(BEAT_WRITTEN);
	assert_false(step());
	assert_int_equal(at.round.changes.count, 0);
	assert_int_equal(at.fleet->clusters.count, 2);
	assert_int_equal(at.d->cluster->beats.count, 1);
}

/* A second round on the same node gets no beat through: the first one's id stays its own. */
static void test_id_of_a_beat_under_way(void **state)
{
	struct beat_result none = { .state = BEAT_NONE };
	struct moment moment = now();
	struct round other;

	(void)state;
	see(at.d, kit_master());
	round_begin(&at.round, at.fleet, NULL);
	assert_true(step());
	assert_int_equal(at.order.cluster_id, 1);
	round_begin(&other, at.fleet, NULL);
	assert_true(round_step(&other, &moment, &at.wanted, &at.order));
	round_take_beat(&other, &moment, &none);
	assert_false(round_step(&other, &moment, &at.wanted, &at.order));
	round_end(&other);
	answer(BEAT_WRITTEN);
	assert_false(step());
	assert_int_equal(at.d->cluster->id, 1);
	assert_int_equal(at.fleet->next_id, 2);
}

/* Another cluster's round takes the candidate away while its beat is being written. */
static void test_candidate_leaves_meanwhile(void **state)
{
	struct moment moment = now();
	struct cluster *other = fleet_add_cluster(at.fleet, 1);

	(void)state;
	begin_takeover();
	fleet_move(at.b, other, PLACE_LOST, &moment);
	answer(BEAT_WRITTEN);
	assert_false(step());
	assert_ptr_equal(at.cluster->seat, at.a);
	assert_ptr_equal(at.b->cluster, other);
	assert_null(other->seat);
	assert_int_equal(at.round.changes.count, 0);
}

static void test_holder_unseen_is_no_split(void **state)
{
	(void)state;
	see(at.b, kit_master());
	round_begin(&at.round, at.fleet, at.cluster);
	assert_false(step()); /* nothing was seen of a: wait for its word */
	assert_int_equal(at.round.changes.count, 0);
}

static void test_unfinished_round(void **state)
{
	(void)state;
	begin_takeover();
	round_end(&at.round);
	assert_ptr_equal(at.cluster->seat, at.a);
	assert_int_equal(at.b->place, PLACE_SLAVE);
	assert_null(at.round.changes.items);
}

/* While starting, a round of one node founds its cluster and leaves the others alone. */
static void test_only_one_at_the_start(void **state)
{
	struct moment moment = now();

	(void)state;
	fleet_free(&at.fleet);
	at.fleet = fleet_new(at.config, &moment);
	for (size_t i = 0; i < 2; i++)
		see(at.fleet->nodes[i], kit_master());
	round_begin(&at.round, at.fleet, NULL);
	at.round.starting = true;
	at.round.only = at.fleet->nodes[1];
	assert_true(step());
	assert_ptr_equal(at.wanted, at.fleet->nodes[1]);
	answer(BEAT_WRITTEN);
	assert_false(step());
	assert_int_equal(events(), 0);
	assert_true(at.fleet->nodes[1]->cluster->starting);
	assert_null(at.fleet->nodes[0]->cluster);
	assert_int_equal(at.fleet->nodes[0]->seen.kind, OBSERVED_MASTER);
}

static void moves(struct node *node, struct observation seen, bool expected)
{
	struct moment moment = now();

	see(node, seen);
	assert_int_equal(rules_would_move(at.fleet, node, &moment), expected);
	node_forget(node);
	assert_false(rules_would_move(at.fleet, node, &moment));
}

static void test_what_would_move(void **state)
{
	struct moment moment = now();
	struct observation hidden = kit_slave("a", KIT_BASE_MS);

	(void)state;
	hidden.row_state = ROW_LOCKED;
	moves(at.a, kit_failure(REASON_SHUTTING_DOWN, true), false);
	moves(at.b, kit_master(), true); /* the holder is failing */
	see_beaten(at.a);
	moves(at.a, kit_slave("b", 0), true);
	moves(at.a, kit_failure(REASON_REFUSED, false), true);
	see_beaten(at.a);
	moves(at.a, kit_master(), false);
	moves(at.b, kit_slave("a", KIT_BASE_MS), false);
	moves(at.b, kit_failure(REASON_REFUSED, false), true);
	moves(at.b, kit_slave("a", KIT_BASE_MS - 1), true);
	fleet_move(at.c, at.cluster, PLACE_LOST, &moment);
	moves(at.c, kit_failure(REASON_REFUSED, false), false);
	moves(at.c, kit_slave("a", KIT_BASE_MS - 1), false);
	moves(at.c, kit_slave("a", KIT_BASE_MS), true);
	moves(at.c, kit_master(), true); /* a split */
	moves(at.a, kit_failure(REASON_SHUTTING_DOWN, true), false);
	moves(at.c, kit_master(), false); /* a lost one waits while the holder is failing */
	moves(at.d, kit_failure(REASON_REFUSED, false), false);
	moves(at.d, kit_slave("x", KIT_BASE_MS), false);
	moves(at.d, hidden, false); /* what a lock hides is no row */
	moves(at.d, kit_slave("a", KIT_BASE_MS), true);
	moves(at.d, kit_master(), true);
}

static void test_when_a_grace_ends(void **state)
{
	struct observation locked = kit_master();

	(void)state;
	at.ms = 1000;
	assert_true(node_grace_ends(at.fleet, at.b) == INT64_MAX);
	assert_false(node_is_failing(at.b));
	see(at.b, kit_failure(REASON_STARTING, true));
	assert_true(node_is_failing(at.b));
	assert_int_equal(node_grace_ends(at.fleet, at.b), 11000);
	see(at.c, kit_failure(REASON_REFUSED, false));
	assert_true(node_grace_ends(at.fleet, at.c) == INT64_MAX);
	locked.beat = kit_beat(BEAT_LOCKED, 0);
	see(at.a, locked);
	assert_int_equal(node_grace_ends(at.fleet, at.a), 120000); /* the last beat's time and P5 */
	at.config->down_after = 3;
	assert_true(node_grace_ends(at.fleet, at.b) == INT64_MAX); /* two more attempts decide */
	see(at.b, kit_failure(REASON_STARTING, true));
	assert_int_equal(node_grace_ends(at.fleet, at.b), 11000);
	see(at.d, kit_failure(REASON_STARTING, true));
	assert_false(node_is_failing(at.d));
	assert_true(node_grace_ends(at.fleet, at.d) == INT64_MAX);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answers_meanwhile), TEST(test_holder_answers_meanwhile),
		TEST(test_holder_demoted_meanwhile),
		TEST(test_holder_goes_down_meanwhile), TEST(test_holder_still_failing),
		TEST(test_beat_says_nothing), TEST(test_late_answer_counts),
		TEST(test_gone_meanwhile), TEST(test_id_of_a_beat_under_way),
		TEST(test_candidate_leaves_meanwhile),
		TEST(test_holder_takes_its_seat_again), TEST(test_refused_then_slave),
		TEST(test_orders_of_a_later_cluster),
		TEST(test_holder_unseen_is_no_split),
		TEST(test_unfinished_round), TEST(test_only_one_at_the_start),
		TEST(test_what_would_move), TEST(test_when_a_grace_ends),
	};

	return cmocka_run_group_tests_name("round", tests, NULL, NULL);
}
