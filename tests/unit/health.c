/*
 * What load balancers are told of a node (core/health.h): a row for each verdict, the words, and the bar that holds the
 * hysteresis of lag (core/lag.h) beside its plain definition.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/words.h"
#include "core/dispute.h"
#include "core/health.h"
#include "support/kit.h"

#define NO HEALTH_NO_LIMIT

static struct config *config;
static struct fleet *fleet;
static struct cluster *cluster;
static struct node *master, *slave, *other;

static int set_up(void **state)
{
	static const char *const ids[] = { "db1:5432", "db2:5432", "db3:5432" };
	struct moment now = kit_moment(0, KIT_BASE_MS);

	(void)state;
	config = kit_config(ids, 3);
	fleet = fleet_new(config, &now);
	master = fleet->nodes[0];
	slave = fleet->nodes[1];
	other = fleet->nodes[2];
	cluster = fleet_add_cluster(fleet, 1);
	fleet_move(master, cluster, PLACE_MASTER, &now);
	fleet_move(slave, cluster, PLACE_SLAVE, &now);
	for (size_t i = 0; i < 3; i++)
		fleet->nodes[i]->known = true;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fleet_free(&fleet);
	config_unref(&config);
	return 0;
}

/* ---- verdicts ---- */

struct verdict_row {
	enum place place;
	enum condition condition;
	int64_t bar_ms;
	const char *first;
	int64_t limit_ms;
	bool primary, replica, read_only, member;
};

static const struct verdict_row rows[] = {
	/* who keeps its place is what it was */
	{ PLACE_MASTER, CONDITION_WELL, 0, NULL, NO, true, false, true, true },
	{ PLACE_MASTER, CONDITION_FAILING, 0, NULL, NO, true, false, true, false },
	{ PLACE_MASTER, CONDITION_HELD, 0, NULL, NO, true, false, true, true },
	{ PLACE_MASTER, CONDITION_VOUCHED_FOR, 0, NULL, NO, true, false, true, false },
	{ PLACE_MASTER, CONDITION_ISOLATED, 0, NULL, NO, true, false, true, true },
	{ PLACE_MASTER, CONDITION_UNKNOWN, 0, NULL, NO, true, false, true, true },
	{ PLACE_MASTER, CONDITION_WELL, 0, NULL, 0, true, false, true, true },
	{ PLACE_SLAVE, CONDITION_WELL, 0, NULL, NO, false, true, true, true },
	{ PLACE_SLAVE, CONDITION_FAILING, 0, NULL, NO, false, true, true, false },
	{ PLACE_SLAVE, CONDITION_HELD, 0, NULL, NO, false, true, true, true },
	{ PLACE_SLAVE, CONDITION_ISOLATED, 0, NULL, NO, false, true, true, true },
	{ PLACE_SLAVE, CONDITION_UNKNOWN, 0, NULL, 1000, false, true, true, true },
	/* of two masters of one origin who sat first */
	{ PLACE_MASTER, CONDITION_WELL, 0, "db9:5432", NO, false, false, false, true },
	{ PLACE_SLAVE, CONDITION_WELL, 0, "db9:5432", NO, false, true, true, true },
	/* lag */
	{ PLACE_SLAVE, CONDITION_WELL, 5000, NULL, NO, false, true, true, true },
	{ PLACE_SLAVE, CONDITION_WELL, 5000, NULL, 5000, false, true, true, true },
	{ PLACE_SLAVE, CONDITION_WELL, 5001, NULL, 5000, false, false, false, true },
	{ PLACE_SLAVE, CONDITION_WELL, 0, NULL, 0, false, true, true, true },
	{ PLACE_SLAVE, CONDITION_WELL, 1, NULL, 0, false, false, false, true },
	/* who is out of its place is nothing */
	{ PLACE_LOST, CONDITION_DOWN, 0, NULL, NO, false, false, false, false },
	{ PLACE_LOST, CONDITION_LATE, 0, NULL, NO, false, false, false, false },
	{ PLACE_LOST, CONDITION_UNKNOWN, 0, NULL, NO, false, false, false, false },
	{ PLACE_CLUSTERLESS, CONDITION_WELL, 0, NULL, NO, false, false, false, false },
	{ PLACE_CLUSTERLESS, CONDITION_DOWN, 0, NULL, NO, false, false, false, false },
	{ PLACE_CLUSTERLESS, CONDITION_UNKNOWN, 0, NULL, NO, false, false, false, false },
};

static void assert_is(size_t i, const struct node_view *node, enum health health, bool expected)
{
	if (health_is(node, health, rows[i].limit_ms) != expected)
		fail_msg("row %zu, health %d: expected %s", i, (int)health, expected ? "yes" : "no");
}

static void test_verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct node_view node = {
			.name = "db1:5432",
			.state = rows[i].place,
			.condition = rows[i].condition,
			.lag_bar_ms = rows[i].bar_ms,
			.first = rows[i].first,
		};

		assert_is(i, &node, HEALTH_PRIMARY, rows[i].primary);
		assert_is(i, &node, HEALTH_REPLICA, rows[i].replica);
		assert_is(i, &node, HEALTH_READ_ONLY, rows[i].read_only);
		assert_is(i, &node, HEALTH_MEMBER, rows[i].member);
	}
}

static void test_parse(void **state)
{
	enum health health = HEALTH_MEMBER;
	int64_t ms = -1;

	(void)state;
	assert_true(health_parse("read-write", &health));
	assert_int_equal(health, HEALTH_PRIMARY);
	assert_true(health_parse("health", &health));
	assert_int_equal(health, HEALTH_MEMBER);
	assert_false(health_parse("", &health));
	assert_false(health_parse("primary ", &health));
	assert_false(health_parse_lag("", &ms));
	assert_false(health_parse_lag(".5", &ms));
	assert_false(health_parse_lag("-1", &ms));
	assert_false(health_parse_lag("1MB", &ms));
	assert_false(health_parse_lag("5 ", &ms));
	assert_false(health_parse_lag("1234567890", &ms));
	assert_int_equal(ms, -1);
	assert_true(health_parse_lag("0", &ms));
	assert_int_equal(ms, 0);
	assert_true(health_parse_lag("999999999", &ms));
	assert_int_equal(ms, INT64_C(999999999000));
	assert_true(health_parse_lag("5.", &ms));
	assert_int_equal(ms, 5000);
	assert_true(health_parse_lag("0.2509", &ms));
	assert_int_equal(ms, 250);
}

static void test_weight(void **state)
{
	struct node_view node = { .state = PLACE_SLAVE };
	int last = 100;

	(void)state;
	assert_int_equal(health_weight(&node, NO), 100);
	assert_int_equal(health_weight(&node, 0), 100);
	for (node.judged_lag_ms = 0; node.judged_lag_ms <= 6000; node.judged_lag_ms++) {
		int weight = health_weight(&node, 5000);

		assert_in_range(weight, 1, last);
		assert_true(node.judged_lag_ms > 2500 || weight == 100);
		last = weight;
	}
	node.judged_lag_ms = 3750;
	assert_int_equal(health_weight(&node, 5000), 50);
	node.judged_lag_ms = 5000;
	assert_int_equal(health_weight(&node, 5000), 1);
	node.judged_lag_ms = 1;
	assert_int_equal(health_weight(&node, 1), 1);
	node.state = PLACE_MASTER;
	assert_int_equal(health_weight(&node, 0), 100);
}

/* ---- words ---- */

static void assert_says(const struct node_view *node, enum health health, int64_t limit_ms, const char *expected)
{
	char why[HEALTH_WHY_BYTES];

	health_say(node, health, limit_ms, why, sizeof(why));
	assert_string_equal(why, expected);
}

static void test_words_of_places(void **state)
{
	struct moment now = kit_moment(60000, KIT_BASE_MS);

	(void)state;
	assert_says(node_view_of(master), HEALTH_PRIMARY, NO, "db1:5432 is master since 2023-11-14 22:13:20 UTC");
	fleet_move(slave, cluster, PLACE_LOST, &now);
	slave->placed_by = RULE_S1;
	slave->ruled = RULE_L1;
	slave->failure.attempts = 1;
	slave->failure.reason = REASON_REFUSED;
	words_keep(&slave->shown->failure, "connection\nrefused", MESSAGE_BYTES);
	assert_says(node_view_of(slave), HEALTH_PRIMARY, NO,
		    "db2:5432 is lost (down) since 2023-11-14 22:14:20 UTC by S1 (the slave was down): refused: "
		    "connection\\nrefused");
	other->ruled = RULE_U4;
	assert_says(node_view_of(other), HEALTH_MEMBER, NO,
		    "db3:5432 is clusterless since 2023-11-14 22:13:20 UTC by U4 (it answers, and belongs to no cluster)");
}

static void test_words_of_members(void **state)
{
	(void)state;
	slave->has_shown = true;
	slave->shown_tstamp = KIT_BASE_MS;
	cluster_take_beat(fleet, cluster, KIT_BASE_MS, 0, true);
	cluster_take_beat(fleet, cluster, KIT_BASE_MS + 100, 100, false);
	cluster_take_beat(fleet, cluster, KIT_BASE_MS + 6300, 6300, false);
	cluster_note_lags(cluster);
	assert_says(node_view_of(slave), HEALTH_REPLICA, 5000,
		    "db2:5432 is slave since 2023-11-14 22:13:20 UTC; 6.2 s behind, more than 5 s");
	assert_says(node_view_of(slave), HEALTH_PRIMARY, 5000, "db2:5432 is slave since 2023-11-14 22:13:20 UTC");
	cluster_take_beat(fleet, cluster, KIT_BASE_MS + 9300, 9300, false);
	slave->shown_tstamp = KIT_BASE_MS + 100;
	cluster_note_lags(cluster);
	assert_says(node_view_of(slave), HEALTH_READ_ONLY, 5000,
		    "db2:5432 is slave since 2023-11-14 22:13:20 UTC; 3 s behind, was more than 5 s: it is taken back at 2.5 s");
	slave->failure.attempts = 1;
	slave->failure.reason = REASON_TIMEOUT;
	words_keep(&slave->shown->failure, "no answer", MESSAGE_BYTES);
	assert_says(node_view_of(slave), HEALTH_REPLICA, NO,
		    "db2:5432 is slave (failing) since 2023-11-14 22:13:20 UTC: timeout: no answer; 3 s behind");
}

/* Each day of a long time has the date that the C library finds. */
static void test_dates(void **state)
{
	struct node_view node = { .name = "a", .state = PLACE_LOST, .condition = CONDITION_WELL };
	char expected[HEALTH_WHY_BYTES];

	(void)state;
	for (time_t at = 1; at < (time_t)86400 * 365 * 500; at += 86400 / 2 - 1) {
		struct tm tm;

		node.since_ms = (int64_t)at * 1000 + 999;
		(void)gmtime_r(&at, &tm);
		(void)strftime(expected, sizeof(expected), "a is lost since %Y-%m-%d %H:%M:%S UTC", &tm);
		assert_says(&node, HEALTH_MEMBER, NO, expected);
	}
}

static void test_words_are_cut(void **state)
{
	char name[3000];
	struct node_view node = { .name = name, .state = PLACE_LOST };
	char why[HEALTH_WHY_BYTES];

	(void)state;
	memset(name, '\x01', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	health_say(&node, HEALTH_MEMBER, NO, why, sizeof(why));
	assert_true(strlen(why) < sizeof(why));
	assert_null(strchr(why, '\x01'));
}

/* ---- two masters of one origin ---- */

static void says_master(struct node *node, int64_t put_ms, uint32_t timeline)
{
	struct observation seen = kit_master();
	struct moment now = kit_moment(put_ms + 1, KIT_BASE_MS);

	seen.asked_ms = put_ms;
	seen.origin = (struct origin){ .system = 7, .started_us = (int64_t)node->order + 1, .timeline = timeline };
	node_observe(fleet, node, &seen, &now);
	dispute_find(fleet, node, &now);
}

static void assert_second(const struct node *second, const struct node *first)
{
	assert_int_equal(fleet->disputes.count, 1);
	assert_false(health_is(node_view_of(second), HEALTH_PRIMARY, NO));
	assert_false(health_is(node_view_of(second), HEALTH_READ_ONLY, NO));
	assert_true(health_is(node_view_of(second), HEALTH_MEMBER, NO));
	assert_true(health_is(node_view_of(first), HEALTH_PRIMARY, NO));
}

static void take_own_seat(struct node *node, int id, int64_t steady_ms)
{
	struct moment now = kit_moment(steady_ms, KIT_BASE_MS);

	fleet_move(node, fleet_add_cluster(fleet, id), PLACE_MASTER, &now);
}

/* A slave is promoted beside its living master: the newer one sits second. */
static void test_promoted_beside(void **state)
{
	(void)state;
	says_master(master, 0, 1);
	says_master(slave, 2000, 2);
	says_master(master, 3000, 1);
	take_own_seat(slave, 2, 4000);
	assert_second(slave, master);
	assert_says(node_view_of(slave), HEALTH_PRIMARY, NO,
		    "db2:5432 is master (split_brain: db1:5432 sat first) since 2023-11-14 22:13:24 UTC");
	slave->is_slave = true;
	dispute_end_all(fleet, slave);
	assert_true(health_is(node_view_of(slave), HEALTH_PRIMARY, NO));
}

/* An old master comes back after a failover: it is the older one, and the other has the seat. */
static void test_old_master_back(void **state)
{
	struct moment now = kit_moment(1000, KIT_BASE_MS);

	(void)state;
	fleet_move(master, cluster, PLACE_LOST, &now);
	fleet_move(slave, cluster, PLACE_MASTER, &now);
	says_master(slave, 2000, 2);
	says_master(master, 3000, 1);
	says_master(slave, 4000, 2);
	take_own_seat(master, 2, 5000);
	assert_second(master, slave);
}

/* Both sat before plusmoin: by the time of it, and without one the older. */
static void test_both_sit(void **state)
{
	(void)state;
	take_own_seat(slave, 2, 500);
	says_master(slave, 2000, 1);
	says_master(master, 3000, 2);
	says_master(slave, 4000, 1);
	assert_ptr_equal(((struct dispute *)fleet->disputes.items[0])->newer, master);
	assert_second(slave, master);
	dispute_end_all(fleet, slave);
	slave->since_ms = master->since_ms;
	says_master(master, 5000, 2);
	says_master(slave, 6000, 1);
	assert_second(master, slave);
}

/* ---- the bar ---- */

static unsigned random_state;

static int64_t any(int64_t below)
{
	random_state = random_state * 1103515245 + 12345;
	return (int64_t)(random_state >> 4) % below;
}

/* By the definition: it looks at all samples from the first on. */
static bool is_over_by_definition(const int64_t *lags, size_t count, int64_t limit_ms)
{
	bool over = false;

	for (size_t i = 0; i < count; i++) {
		if (lags[i] > limit_ms)
			over = true;
		else if (2 * lags[i] <= limit_ms) /* at or below half of it */
			over = false;
	}
	return over;
}

/* A lag as they come: of any size, now and then close to the one before, or 0; or small, so that all bounds are met. */
static int64_t next_lag(int64_t before, bool small)
{
	if (small)
		return any(12);
	switch (any(4)) {
	case 0:
		return 0;
	case 1:
		return any(INT64_C(1) << any(28));
	default:
		return before * (50 + any(100)) / 100;
	}
}

static void test_bar(void **state)
{
	int64_t lags[200];

	(void)state;
	random_state = (unsigned)time(NULL);
	print_message("seed %u\n", random_state);
	for (int run = 0; run < 300; run++) {
		int64_t bar_ms = 0;
		int64_t lag_ms = 0;
		bool small = run % 2 == 0;

		for (size_t n = 0; n < sizeof(lags) / sizeof(lags[0]); n++) {
			lags[n] = lag_ms = next_lag(lag_ms, small);
			bar_ms = lag_bar(bar_ms, lag_ms);
			for (int i = 0; i < 6; i++) {
				int64_t near = lags[any((int64_t)n + 1)];
				int64_t limit_ms = i < 2 ? any(small ? 24 : INT64_C(1) << any(28)) : near * (i % 2 + 1) + any(3) - 1;

				if (limit_ms < 0)
					limit_ms = 0;
				assert_int_equal(lag_is_over(bar_ms, limit_ms),
						 is_over_by_definition(lags, n + 1, limit_ms));
			}
		}
	}
}

/* A node's bar follows its lag as its rounds find it, and a node of unknown lag keeps it. */
static void test_bar_of_node(void **state)
{
	(void)state;
	slave->lag_bar_ms = 700;
	master->lag_bar_ms = 700;
	cluster_note_lags(cluster);
	assert_int_equal(slave->lag_bar_ms, 700);
	assert_int_equal(master->lag_bar_ms, 0);
	slave->has_shown = true;
	slave->shown_tstamp = KIT_BASE_MS;
	cluster_take_beat(fleet, cluster, KIT_BASE_MS, 0, true);
	cluster_take_beat(fleet, cluster, KIT_BASE_MS + 100, 100, false);
	cluster_take_beat(fleet, cluster, KIT_BASE_MS + 600, 600, false);
	cluster_note_lags(cluster);
	assert_int_equal(slave->lag_bar_ms, 700);
	assert_int_equal(slave->judged_lag_ms, 500);
	slave->shown_tstamp = KIT_BASE_MS + 600;
	cluster_note_lags(cluster);
	assert_int_equal(slave->lag_bar_ms, 0);
}

/* A view is another one when the bar alone has moved. */
static void test_bar_is_shown(void **state)
{
	const struct node_view *before = node_view_of(slave);

	(void)state;
	assert_ptr_equal(node_view_of(slave), before);
	slave->lag_bar_ms = 1;
	assert_int_equal(node_view_of(slave)->lag_bar_ms, 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_verdicts),
		TEST(test_parse),
		TEST(test_weight),
		TEST(test_words_of_places),
		TEST(test_words_of_members),
		TEST(test_dates),
		TEST(test_words_are_cut),
		TEST(test_promoted_beside),
		TEST(test_old_master_back),
		TEST(test_both_sit),
		TEST(test_bar),
		TEST(test_bar_of_node),
		TEST(test_bar_is_shown),
	};

	return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
