/*
 * Why a node is where it is, and what people are shown of it: reasons and
 * messages of changes and nodes, since when, what is kept of its answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/view.h"
#include "support/stand.h"

/* A round of `cluster` in which every beat that is wanted has this outcome. */
static void play(struct cluster *cluster, enum beat_state state)
{
	round_end(&at.round);
	round_begin(&at.round, at.fleet, cluster);
	while (step())
		answer(state);
	assert_false(step());
}

/* What the control socket and Lua show as the reason of `node`. */
static void shows(const struct node *node, enum reason reason, const char *message)
{
	struct view *view = view_new(at.fleet, node->cluster);
	const struct node_view *shown = view_find(view, node->order);

	assert_non_null(shown);
	assert_string_equal(shown->name, node->config->name);
	assert_int_equal(shown->reason, reason);
	if (message == NULL)
		assert_null(shown->message);
	else
		assert_string_equal(shown->message, message);
	view_unref(&view);
}

static void says(const struct change *change, enum reason reason, const char *message)
{
	assert_non_null(change);
	assert_int_equal(change->reason, reason);
	assert_string_equal(change->message, message);
}

static void test_down(void **state)
{
	(void)state;
	see(at.a, kit_failure(REASON_REFUSED, false));
	see(at.b, kit_failure(REASON_DNS, false));
	see(at.c, kit_failure(REASON_STARTING, true));
	play(at.cluster, BEAT_NONE);
	says(change_of(at.a, RULE_M2), REASON_REFUSED, "refused");
	says(change_of(at.b, RULE_S1), REASON_DNS, "dns");
	shows(at.a, REASON_REFUSED, "refused");
	shows(at.b, REASON_DNS, "dns");
	shows(at.c, REASON_NONE, NULL); /* failing is not down */
	see(at.b, kit_failure(REASON_TIMEOUT, false));
	play(at.cluster, BEAT_NONE);
	shows(at.b, REASON_TIMEOUT, "timeout"); /* the last word */
	see(at.b, kit_slave("a", KIT_BASE_MS));
	play(at.cluster, BEAT_NONE);
	assert_int_equal(at.b->place, PLACE_SLAVE);
	shows(at.b, REASON_NONE, NULL);
	assert_int_equal(at.b->reason, REASON_NONE);
	assert_string_equal(at.b->shown->reason, "");
}

static void test_demoted(void **state)
{
	(void)state;
	see(at.a, kit_slave("a", KIT_BASE_MS));
	play(at.cluster, BEAT_NONE);
	says(change_of(at.a, RULE_M3), REASON_DEMOTED, "it says that it is a slave now");
	assert_int_equal(at.a->place, PLACE_SLAVE);
	assert_int_equal(at.a->reason, REASON_NONE);
	shows(at.a, REASON_NONE, NULL);
}

/* A node's own delays: by the rule, and in the words. */
static void test_late_by_its_own(void **state)
{
	struct config_node *own = (struct config_node *)at.b->config;

	(void)state;
	own->max_sync_delay_ms = 30000;
	own->recover_sync_delay_ms = 20000;
	at.ms = 1000;
	see_beaten(at.a);
	at.ms = 31001;
	see_beaten(at.a);
	see(at.b, kit_slave("a", KIT_BASE_MS));
	play(at.cluster, BEAT_NONE);
	says(change_of(at.b, RULE_S2), REASON_LAG, "30.001 s behind; max_sync_delay is 30 s (its own)");
	see(at.b, kit_slave("a", KIT_BASE_MS));
	play(at.cluster, BEAT_NONE);
	shows(at.b, REASON_LAG, "30.001 s behind; recover_sync_delay is 20 s (its own)");
}

static void test_late(void **state)
{
	(void)state;
	at.ms = 1000;
	see_beaten(at.a);
	at.ms = 121001;
	see_beaten(at.a);
	see(at.b, kit_slave("a", KIT_BASE_MS));
	see(at.c, kit_slave("a", KIT_BASE_MS - 1));
	play(at.cluster, BEAT_NONE);
	says(change_of(at.b, RULE_S2), REASON_LAG, "120.001 s behind; max_sync_delay is 120 s");
	says(change_of(at.c, RULE_S2), REASON_LAG, "it shows no beat of this run yet: its row is 121.002 s"
	     " older than the newest; max_sync_delay is 120 s");
	shows(at.b, REASON_LAG, "120.001 s behind; max_sync_delay is 120 s");
	at.ms = 182001;
	see_beaten(at.a);
	see(at.b, kit_slave("a", KIT_BASE_MS + 1000));
	play(at.cluster, BEAT_NONE);
	shows(at.b, REASON_LAG, "61.000 s behind; recover_sync_delay is 60 s"); /* L2: as it is now */
	see(at.b, kit_slave("a", KIT_BASE_MS + 121001));
	play(at.cluster, BEAT_NONE);
	assert_non_null(change_of(at.b, RULE_L4));
	shows(at.b, REASON_NONE, NULL);
	assert_int_equal(at.b->reason, REASON_NONE);
}

static void test_joins_late(void **state)
{
	(void)state;
	at.ms = 1000;
	see_beaten(at.a);
	at.ms = 121001;
	see_beaten(at.a);
	see(at.d, kit_slave("a", KIT_BASE_MS));
	play(NULL, BEAT_NONE);
	says(change_of(at.d, RULE_U3), REASON_LAG, "120.001 s behind; max_sync_delay is 120 s");
	shows(at.d, REASON_LAG, "120.001 s behind; max_sync_delay is 120 s");
	assert_int_equal(at.d->place, PLACE_LOST);
}

static void test_refused_beats(void **state)
{
	(void)state;
	see_beaten(at.a);
	see(at.b, kit_master());
	play(at.cluster, BEAT_FAILED);
	says(change_of(at.b, RULE_M5), REASON_READ_ONLY, "beat not written");
	shows(at.b, REASON_READ_ONLY, "beat not written");
	see_beaten(at.a);
	see(at.b, kit_master());
	play(at.cluster, BEAT_LOCKED);
	assert_int_equal(at.round.changes.count, 0);
	shows(at.b, REASON_TIMEOUT, "beat not written");
	see_beaten(at.a);
	see(at.b, kit_master());
	play(at.cluster, BEAT_WRITTEN);
	assert_int_equal(at.b->place, PLACE_MASTER);
	assert_int_equal(at.b->reason, REASON_NONE);
}

static void test_clusterless_reasons(void **state)
{
	(void)state;
	shows(at.d, REASON_NONE, NULL);
	see(at.d, kit_master());
	play(NULL, BEAT_FAILED);
	shows(at.d, REASON_READ_ONLY, "beat not written");
	see(at.d, kit_failure(REASON_FULL, false));
	play(NULL, BEAT_NONE);
	shows(at.d, REASON_FULL, "full");
	see(at.d, kit_slave("x", 5));
	play(NULL, BEAT_NONE);
	shows(at.d, REASON_NONE, NULL);
}

/* A lost node that takes the seat has nothing to be excused for. */
static void test_seat_clears_reason(void **state)
{
	(void)state;
	see(at.a, kit_failure(REASON_REFUSED, false));
	see(at.b, kit_failure(REASON_REFUSED, false));
	play(at.cluster, BEAT_NONE);
	assert_int_equal(at.b->reason, REASON_REFUSED);
	see(at.b, kit_master());
	play(at.cluster, BEAT_WRITTEN);
	assert_ptr_equal(at.cluster->seat, at.b);
	assert_int_equal(at.b->reason, REASON_NONE);
	assert_string_equal(at.b->shown->reason, "");
}

static void test_beat_of_the_master(void **state)
{
	struct observation seen = kit_master();

	(void)state;
	seen.beat = kit_beat(BEAT_FAILED, 0);
	see(at.a, seen);
	play(at.cluster, BEAT_NONE);
	says(change_of(at.a, RULE_M2), REASON_READ_ONLY, "beat not written");
	assert_int_equal(at.cluster->beats.count, 1);
}

static void test_since(void **state)
{
	(void)state;
	assert_true(at.b->since_ms == KIT_BASE_MS);
	at.ms = 1000;
	see(at.b, kit_slave("a", KIT_BASE_MS));
	play(at.cluster, BEAT_NONE);
	assert_true(at.b->since_ms == KIT_BASE_MS);
	see(at.b, kit_failure(REASON_REFUSED, false));
	play(at.cluster, BEAT_NONE);
	assert_true(at.b->since_ms == KIT_BASE_MS + 1000);
	at.ms = 2000;
	see(at.b, kit_failure(REASON_REFUSED, false));
	play(at.cluster, BEAT_NONE);
	assert_true(at.b->since_ms == KIT_BASE_MS + 1000);
	see_beaten(at.a);
	see(at.c, kit_master());
	play(at.cluster, BEAT_WRITTEN);
	assert_true(at.c->since_ms == KIT_BASE_MS + 2000); /* another cluster */
}

/* A node that is down keeps what was last known; a promoted one names nobody. */
static void test_what_is_kept(void **state)
{
	struct observation nothing = { .kind = OBSERVED_NOTHING };

	(void)state;
	see(at.b, kit_slave("a", KIT_BASE_MS));
	see(at.b, kit_failure(REASON_REFUSED, false));
	assert_true(at.b->known && at.b->is_slave);
	assert_string_equal(at.b->master_name, "a");
	assert_int_equal(at.b->server_version, 150020);
	see(at.b, nothing);
	assert_int_equal(at.b->failure.attempts, 1);
	see(at.b, kit_master());
	assert_false(at.b->is_slave);
	assert_int_equal(at.b->failure.attempts, 0);
	see(at.b, kit_slave(NULL, 0));
	assert_true(at.b->is_slave);
	assert_string_equal(at.b->master_name, "");
	see(at.d, kit_failure(REASON_REFUSED, false));
	assert_false(at.d->known);
}

/* A round uses up what was seen of its own nodes; clusterless slaves may still be waited for. */
static void test_what_is_used_up(void **state)
{
	(void)state;
	see_beaten(at.a);
	see(at.b, kit_slave("a", KIT_BASE_MS));
	see(at.d, kit_slave("x", 5));
	play(at.cluster, BEAT_NONE);
	assert_int_equal(at.round.changes.count, 0);
	assert_int_equal(at.a->seen.kind, OBSERVED_NOTHING);
	assert_int_equal(at.b->seen.kind, OBSERVED_NOTHING);
	assert_int_equal(at.d->seen.kind, OBSERVED_SLAVE);
	see(at.b, kit_slave("a", KIT_BASE_MS));
	play(NULL, BEAT_NONE);
	assert_int_equal(at.b->seen.kind, OBSERVED_SLAVE);
	assert_int_equal(at.d->seen.kind, OBSERVED_SLAVE);
	see(at.d, kit_master());
	play(NULL, BEAT_NONE);
	assert_int_equal(at.d->seen.kind, OBSERVED_NOTHING);
	see(at.d, kit_failure(REASON_REFUSED, false));
	play(NULL, BEAT_NONE);
	assert_int_equal(at.d->seen.kind, OBSERVED_NOTHING);
}

static void test_lag(void **state)
{
	struct moment moment = now();
	int64_t lag;

	(void)state;
	assert_true(node_lag(at.b, &lag));
	assert_int_equal(lag, 0);
	fleet_move(at.a, at.cluster, PLACE_LOST, &moment);
	assert_false(node_lag(at.a, &lag)); /* it has shown no beat */
	fleet_move(at.b, at.cluster, PLACE_MASTER, &moment);
	assert_false(node_lag(at.b, &lag)); /* a master has none */
	assert_false(node_lag(at.d, &lag));
	fleet_move(at.c, fleet_add_cluster(at.fleet, 1), PLACE_LOST, &moment);
	assert_false(at.c->has_shown); /* what it showed was another cluster's */
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_down), TEST(test_demoted), TEST(test_late), TEST(test_late_by_its_own),
		TEST(test_joins_late),
		TEST(test_refused_beats), TEST(test_clusterless_reasons),
		TEST(test_seat_clears_reason), TEST(test_beat_of_the_master), TEST(test_since),
		TEST(test_what_is_kept), TEST(test_what_is_used_up), TEST(test_lag),
	};

	return cmocka_run_group_tests_name("reasons", tests, NULL, NULL);
}
