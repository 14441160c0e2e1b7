/*
 * Which server a node is (core/kin.h), and when two masters of one origin are two at the same moment
 * (core/dispute.h). Times are ms; a look is the time at which its question was put and that of its answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "core/aliases.h"
#include "core/dispute.h"
#include "core/verdict.h"
#include "support/kit.h"

static struct config *config;
static struct fleet *fleet;
static struct node *a, *b, *c;

static void begin(size_t count)
{
	static char names[5000][8];
	static const char *ids[5000];
	struct moment now = kit_moment(0, KIT_BASE_MS);

	for (size_t i = 0; i < count; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "n%zu", i);
		ids[i] = names[i];
	}
	config = kit_config(ids, count);
	fleet = fleet_new(config, &now);
	a = fleet->nodes[0];
	b = fleet->nodes[1];
	c = fleet->nodes[2];
}

static int set_up(void **state)
{
	(void)state;
	begin(3);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fleet_free(&fleet);
	config_unref(&config);
	return 0;
}

/* A look at a node whose server is of system `system` and started at `started`. */
static void look(struct node *node, struct observation seen, int64_t put_ms, int64_t answered_ms, struct origin origin)
{
	struct moment now = kit_moment(answered_ms, KIT_BASE_MS);

	seen.asked_ms = put_ms;
	seen.origin = origin;
	seen.kept = true;
	node_observe(fleet, node, &seen, &now);
	dispute_find(fleet, node, &now);
}

static struct origin origin(int64_t system, int64_t started, uint32_t timeline)
{
	return (struct origin){ .system = system, .started_us = started, .timeline = timeline };
}

static void master(struct node *node, int64_t put_ms, int64_t answered_ms, struct origin from)
{
	look(node, kit_master(), put_ms, answered_ms, from);
}

static void slave(struct node *node, int64_t put_ms, int64_t answered_ms, struct origin from)
{
	look(node, kit_slave(NULL, 0), put_ms, answered_ms, from);
}

static void fails(struct node *node, int64_t put_ms, int64_t answered_ms)
{
	look(node, kit_failure(REASON_REFUSED, false), put_ms, answered_ms, origin(0, 0, 0));
}

static const struct dispute *last(void)
{
	return fleet->disputes.items[fleet->disputes.count - 1];
}

#define DISPUTES(n) assert_int_equal(fleet->disputes.count, n)

/* ---- two masters ---- */

static void test_overlap(void **state)
{
	const struct reign early = { .first_ms = 10, .put_ms = 100 };

	(void)state;
	assert_true(reign_overlaps(&early, &(struct reign){ .first_ms = 99, .put_ms = 200 }));
	assert_false(reign_overlaps(&early, &(struct reign){ .first_ms = 100, .put_ms = 200 }));
	assert_false(reign_overlaps(&early, &(struct reign){ .first_ms = 150, .put_ms = 200 }));
	assert_true(reign_overlaps(&early, &(struct reign){ .first_ms = 50, .put_ms = 60 }));
	assert_false(reign_overlaps(&early, &(struct reign){ .first_ms = 5, .put_ms = 9 }));
	assert_false(reign_overlaps(&early, &NO_REIGN));
	assert_false(reign_overlaps(&NO_REIGN, &NO_REIGN));
}

static void test_failover(void **state)
{
	(void)state;
	master(a, 0, 5, origin(1, 10, 1));
	slave(b, 0, 6, origin(1, 20, 0));
	master(a, 1000, 1001, origin(1, 10, 1));
	fails(a, 1500, 1501);
	for (int64_t at = 2000; at < 9000; at += 1000)
		master(b, at, at + 2, origin(1, 20, 2));
	DISPUTES(0);
	assert_int_equal(fleet->wanted.count, 0); /* nobody asks who fails */
	/* the old one is back: its next answer but one shows it, or the other's next */
	master(a, 9000, 9001, origin(1, 11, 1));
	DISPUTES(0);
	assert_int_equal(fleet->wanted.count, 1);
	assert_ptr_equal(fleet->wanted.items[0], b);
	master(b, 9002, 9003, origin(1, 20, 2));
	DISPUTES(1);
	assert_ptr_equal(last()->newer, b); /* by its timeline */
	assert_ptr_equal(dispute_rival(last(), b), a);
}

static void test_late_answer(void **state)
{
	(void)state;
	master(a, 0, 5, origin(1, 10, 1));
	master(b, 100, 102, origin(1, 20, 2)); /* a stopped at 50, say; its answer was on the way for long: */
	master(a, 90, 400, origin(1, 10, 1));
	master(b, 500, 501, origin(1, 20, 2));
	DISPUTES(0);
	master(a, 600, 601, origin(1, 10, 1));
	DISPUTES(1);
}

static void test_at_once(void **state)
{
	(void)state;
	master(a, 0, 5, origin(1, 10, 1)); /* plusmoin's start: both are asked at the same moment */
	master(b, 0, 6, origin(1, 20, 1));
	DISPUTES(0);
	assert_int_equal(fleet->wanted.count, 2);
	master(a, 7, 8, origin(1, 10, 1));
	DISPUTES(0);
	master(b, 7, 8, origin(1, 20, 1));
	DISPUTES(1);
	assert_ptr_equal(last()->newer, b); /* the later to say so */
	master(a, 100, 101, origin(1, 10, 1));
	master(b, 100, 101, origin(1, 20, 1));
	DISPUTES(1);
}

static void test_end(void **state)
{
	(void)state;
	master(a, 0, 5, origin(1, 10, 1));
	master(b, 10, 11, origin(1, 20, 2));
	master(a, 20, 21, origin(1, 10, 1));
	DISPUTES(1);
	fails(b, 30, 31);
	fails(b, 1000, 1001);
	master(b, 2000, 2001, origin(1, 21, 2)); /* a restart: away, and a master again */
	DISPUTES(1);
	slave(b, 3000, 3001, origin(1, 22, 0));
	DISPUTES(0);
	master(a, 4000, 4001, origin(1, 10, 1));
	master(b, 4000, 4001, origin(1, 22, 3));
	master(a, 4002, 4003, origin(1, 10, 1));
	DISPUTES(1);
	master(a, 5000, 5001, origin(2, 30, 1)); /* another server */
	DISPUTES(0);
}

/* A role that is no server's state (is_slave_statement of the user's own) may change in one process. */
static void test_roles_change_places(void **state)
{
	(void)state;
	master(a, 0, 5, origin(1, 10, 1));
	slave(b, 0, 5, origin(1, 20, 1));
	for (int64_t at = 1000; at < 9000; at += 2000) {
		slave(a, at, at + 1, origin(1, 10, 1));
		master(b, at, at + 2, origin(1, 20, 1));
		slave(b, at + 1000, at + 1001, origin(1, 20, 1));
		master(a, at + 1000, at + 1002, origin(1, 10, 1));
	}
	DISPUTES(0);
}

static void test_nobody_to_compare_with(void **state)
{
	(void)state;
	config->nodes[1].ignore_system_id = true;
	for (int64_t at = 0; at < 9000; at += 1000) {
		master(a, at, at + 1, origin(1, 10, 1));
		master(b, at, at + 1, origin(1, 20, 2));
		master(c, at, at + 1, origin(0, 0, 0));
	}
	DISPUTES(0);
}

/* Fleets that were made of one image: what is compared and kept for each is bounded. */
static void test_many(void **state)
{
	clock_t began;

	(void)tear_down(state);
	begin(5000);
	began = clock();
	for (int64_t at = 0; at < 5000; at += 1000) {
		for (size_t i = 0; i < 5000; i++)
			master(fleet->nodes[i], at, at + 1, origin(1, 10 + (int64_t)i, 1));
	}
	assert_in_range(fleet->disputes.count, 1, (size_t)5000 * DISPUTES_MOST / 2);
	assert_in_range(fleet->wanted.count, 1, 5000);
	for (size_t i = 0; i < 5000; i++)
		slave(fleet->nodes[i], 6000, 6001, origin(1, 10 + (int64_t)i, 1));
	DISPUTES(0);
	assert_in_range((clock() - began) / CLOCKS_PER_SEC, 0, 20);
}

/* ---- one server, two entries ---- */

static void test_twins(void **state)
{
	const char *message;

	(void)state;
	master(b, 0, 1, origin(1, 10, 1));
	assert_int_equal(b->seen.kind, OBSERVED_MASTER);
	master(a, 0, 2, origin(1, 10, 1)); /* the earlier in the configuration stands, whoever answered first */
	assert_ptr_equal(b->kin.twin, a);
	assert_null(a->kin.twin);
	assert_int_equal(b->seen.kind, OBSERVED_FAILURE);
	assert_int_equal(b->failure.reason, REASON_SAME_SERVER);
	assert_int_equal(a->seen.kind, OBSERVED_MASTER);
	master(b, 10, 11, origin(1, 10, 1));
	assert_int_equal(b->seen.kind, OBSERVED_FAILURE);
	assert_int_equal(node_why(b, &message), REASON_SAME_SERVER);
	assert_string_equal(message, "it is the same server as n0: remove one of the two from nodes");
	DISPUTES(0);
	/* another database of the server: its own table, its own cluster */
	config->nodes[2].dbname = mem_strdup("other");
	master(c, 10, 11, origin(1, 10, 1));
	assert_null(c->kin.twin);
}

static void test_no_rule_keeps_a_twin(void **state)
{
	struct moment now = kit_moment(100, KIT_BASE_MS);
	struct cluster *cluster = fleet_add_cluster(fleet, 0);
	int64_t ends_ms;

	(void)state;
	config->down_after = 5;
	fleet_move(b, cluster, PLACE_MASTER, &now);
	master(b, 100, 101, origin(1, 10, 1));
	fleet->cut_off_ms = 50; /* isolated, too */
	config->isolation_grace_ms = ISOLATION_WITHOUT_END;
	master(a, 100, 102, origin(1, 10, 1));
	assert_int_equal(node_verdict(fleet, b, &now), VERDICT_DOWN);
	assert_int_equal(node_kept_by(fleet, b, &now, &ends_ms), RULE_NONE);
}

static void test_restart_of_twins(void **state)
{
	(void)state;
	master(a, 0, 1, origin(1, 10, 1));
	master(b, 0, 1, origin(1, 10, 1));
	master(b, 100, 101, origin(1, 11, 1)); /* restarted, and asked by this name first */
	assert_ptr_equal(b->kin.twin, a);
	master(a, 100, 102, origin(1, 11, 1));
	assert_ptr_equal(b->kin.twin, a);
	assert_null(a->kin.twin);
	master(a, 200, 201, origin(1, 12, 1)); /* by the other one first */
	master(b, 200, 202, origin(1, 12, 1));
	assert_ptr_equal(b->kin.twin, a);
	assert_null(a->kin.twin);
	master(b, 300, 301, origin(1, 13, 1));
	master(a, 300, 302, origin(2, 14, 1)); /* the other entry is another server by now */
	master(b, 400, 401, origin(1, 13, 1));
	assert_null(b->kin.twin);
}

/* An address that moves: of it and the host where it is, the address goes, though it is configured first. */
static void test_moving_address(void **state)
{
	(void)state;
	master(a, 0, 1, origin(1, 10, 1)); /* a is at b's host, which is asked later */
	master(b, 0, 2, origin(1, 10, 1));
	slave(c, 0, 3, origin(1, 20, 0));
	assert_ptr_equal(b->kin.twin, a); /* nobody knows yet */
	master(a, 50, 51, origin(1, 10, 1));
	slave(a, 100, 101, origin(1, 20, 0)); /* it moves to c */
	assert_ptr_equal(a->kin.twin, c);
	assert_null(c->kin.twin);
	master(b, 100, 102, origin(1, 10, 1));
	assert_null(b->kin.twin);
	slave(c, 200, 201, origin(1, 21, 0)); /* c is restarted */
	slave(a, 200, 202, origin(1, 21, 0));
	assert_ptr_equal(a->kin.twin, c);
	master(a, 300, 301, origin(1, 10, 1)); /* and back */
	assert_ptr_equal(a->kin.twin, b);
	assert_null(b->kin.twin);
}

/* What an upgrade in place leaves is no address that moves: an entry that is added later does not push it out. */
static void test_upgrade_and_a_second_entry(void **state)
{
	(void)state;
	master(a, 0, 1, origin(1, 10, 1));
	master(a, 100, 101, origin(2, 20, 1));
	master(b, 200, 201, origin(2, 20, 1));
	assert_null(a->kin.twin);
	assert_ptr_equal(b->kin.twin, a);
	/* one that leads to another system's host, which has an entry of its own, is */
	master(c, 300, 301, origin(3, 30, 1));
	master(b, 302, 303, origin(2, 20, 1));
	master(b, 400, 401, origin(3, 30, 1));
	assert_ptr_equal(b->kin.twin, c);
	assert_null(c->kin.twin);
}

/* The same, and nobody has met the host before the address moved to it: its age tells. */
static void test_age_of_a_moving_address(void **state)
{
	struct origin old = origin(1, 20, 0);

	(void)state;
	old.up_since_ms = 50;
	master(a, 100, 101, origin(1, 10, 1));
	slave(b, 200, 201, old);
	slave(a, 300, 301, old);
	assert_ptr_equal(a->kin.twin, b);
	assert_null(b->kin.twin);
	old = origin(1, 21, 0);
	old.up_since_ms = 400; /* b is restarted, and the address asked first */
	slave(a, 500, 501, old);
	assert_ptr_equal(a->kin.twin, b);
	slave(b, 500, 502, old);
	assert_ptr_equal(a->kin.twin, b);
	assert_null(b->kin.twin);
}

static void test_twin_leaves(void **state)
{
	const char *const left[] = { "n1", "n2" };
	struct config *next = kit_config(left, 2);
	struct moment now = kit_moment(10, KIT_BASE_MS);
	struct list removed = { 0 };

	(void)state;
	master(a, 0, 1, origin(1, 10, 1));
	master(b, 0, 1, origin(1, 10, 1));
	master(c, 2, 3, origin(1, 20, 1));
	master(a, 4, 5, origin(1, 10, 1));
	DISPUTES(1);
	fleet_reload(fleet, next, &now, &removed);
	kin_reload(fleet, &removed);
	assert_ptr_equal(list_shift(&removed), a);
	list_free(&removed);
	node_free(&a);
	DISPUTES(0);
	master(b, 10, 11, origin(1, 10, 1));
	assert_int_equal(b->seen.kind, OBSERVED_MASTER);
	config_unref(&next);
}

/* ---- another server at the same address ---- */

static void test_other_server(void **state)
{
	(void)state;
	slave(a, 0, 1, origin(1, 10, 0));
	a->has_shown = true;
	text_copy(a->master_name, sizeof(a->master_name), "x:1");
	fleet_give_alias(fleet, a, "their-name");
	slave(a, 10, 11, origin(1, 11, 0)); /* the same, restarted */
	assert_true(a->has_shown);
	assert_true(node_has_alias(a, "their-name"));
	slave(a, 20, 21, origin(0, 0, 0)); /* it does not tell */
	assert_true(node_has_alias(a, "their-name"));
	slave(a, 30, 31, origin(2, 12, 0));
	assert_false(a->has_shown);
	assert_false(node_has_alias(a, "their-name"));
	assert_string_equal(a->master_name, "");
	assert_int_equal(a->kin.system_before, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_overlap),
		TEST(test_failover),
		TEST(test_late_answer),
		TEST(test_at_once),
		TEST(test_end),
		TEST(test_roles_change_places),
		TEST(test_nobody_to_compare_with),
		TEST(test_many),
		TEST(test_twins),
		TEST(test_no_rule_keeps_a_twin),
		TEST(test_restart_of_twins),
		TEST(test_moving_address),
		TEST(test_upgrade_and_a_second_entry),
		TEST(test_age_of_a_moving_address),
		TEST(test_twin_leaves),
		TEST(test_other_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
