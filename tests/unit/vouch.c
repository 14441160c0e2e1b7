/*
 * What a slave says of its master, and when that vouches for it (core/vouch.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/cut_off.h"
#include "core/vouch.h"
#include "support/stand.h"

#define SECOND_US INT64_C(1000000)

/* A slave of a that has received so much; the role may not read from whom. */
static struct hearing plain(uint64_t lsn)
{
	return (struct hearing){ .has_lsn = true, .lsn = lsn, .streams = true };
}

/* The same with pg_monitor: its last message came at `received_us`, and its clock shows `now_us`. */
static struct hearing told(uint64_t lsn, const char *sender, int timeline, int64_t received_us, int64_t now_us)
{
	struct hearing hearing = plain(lsn);

	hearing.is_told = true;
	text_copy(hearing.sender, sizeof(hearing.sender), sender);
	hearing.port = 5432;
	hearing.timeline = timeline;
	hearing.received_us = received_us;
	hearing.now_us = now_us;
	return hearing;
}

static void says(struct hearer *hearer, struct hearing hearing)
{
	hearer->now = heard_of(&hearing, at.a, "10.0.0.1");
	hearer->has_now = true;
}

static enum vouch verdict(const struct hearer *hearer, uint64_t highest)
{
	return hearer_vouches(hearer, highest, at.b);
}

static void said_before(struct hearer *hearer, struct hearing hearing)
{
	struct heard heard = heard_of(&hearing, at.a, "");
	struct moment now = kit_moment(at.ms, KIT_BASE_MS);

	hearer_note_usual(hearer, &heard, at.b, &now);
}

/* A beat of the present master is written, and b replays it. */
static void beat(void)
{
	at.ms += 1000;
	see_beaten(at.a);
	at.b->shown_tstamp = KIT_BASE_MS + at.ms;
}

static void test_growth(void **state)
{
	struct hearer b = { 0 };
	uint64_t highest = 0;

	(void)state;
	says(&b, plain(100));
	assert_int_equal(verdict(&b, highest), VOUCH_NONE); /* a first look has nothing to compare with */
	hearer_settle(&b, &highest);
	assert_int_equal(highest, 100);
	says(&b, plain(100));
	assert_int_equal(verdict(&b, highest), VOUCH_NONE);
	says(&b, plain(101));
	assert_int_equal(verdict(&b, highest), VOUCH_BLIND);
	hearer_settle(&b, &highest);
	says(&b, plain(101)); /* a vouch is given by new growth alone */
	assert_int_equal(verdict(&b, highest), VOUCH_NONE);
}

/* One that takes from a relay what that has already is no witness. */
static void test_catching_up(void **state)
{
	struct hearer relay = { 0 };
	struct hearer leaf = { 0 };
	uint64_t highest = 0;

	(void)state;
	says(&relay, plain(500));
	says(&leaf, plain(100));
	hearer_settle(&relay, &highest);
	hearer_settle(&leaf, &highest);
	says(&leaf, plain(400));
	assert_int_equal(verdict(&leaf, highest), VOUCH_NONE);
	says(&leaf, plain(500));
	assert_int_equal(verdict(&leaf, highest), VOUCH_NONE);
	says(&relay, plain(501));
	assert_int_equal(verdict(&relay, highest), VOUCH_BLIND);
}

static void test_without_opinion(void **state)
{
	struct hearer b = { 0 };
	uint64_t highest = 0;
	struct hearing subscriber = { .streams = false };
	struct hearing archive = plain(200);

	(void)state;
	assert_int_equal(verdict(&b, highest), VOUCH_NONE);
	says(&b, subscriber);
	hearer_settle(&b, &highest);
	says(&b, subscriber);
	assert_int_equal(verdict(&b, highest), VOUCH_NONE);
	says(&b, plain(100));
	hearer_settle(&b, &highest);
	archive.streams = false; /* it has lost its sender */
	says(&b, archive);
	assert_int_equal(verdict(&b, highest), VOUCH_NONE);
}

static void test_sender(void **state)
{
	struct hearer b = { 0 };
	uint64_t highest = 0;

	(void)state;
	at.ms = 1000;
	said_before(&b, told(50, "relay", 1, 0, 0));
	beat();
	says(&b, told(100, "relay", 1, 0, 0));
	hearer_settle(&b, &highest);
	says(&b, told(101, "relay", 1, 0, 0));
	assert_int_equal(verdict(&b, highest), VOUCH_SURE);
	says(&b, told(101, "elsewhere", 1, 0, 0));
	assert_int_equal(verdict(&b, highest), VOUCH_NONE);
	says(&b, told(101, "relay", 2, 0, 0));
	assert_int_equal(verdict(&b, highest), VOUCH_NONE);
	says(&b, plain(101)); /* the right was taken meanwhile */
	assert_int_equal(verdict(&b, highest), VOUCH_BLIND);
}

/* What was said after the last beat that it has may be of another sender already. */
static void test_sender_since_the_last_beat(void **state)
{
	struct hearer b = { 0 };
	uint64_t highest = 0;

	(void)state;
	at.ms = 1000;
	said_before(&b, told(50, "relay", 1, 0, 0));
	beat();
	at.ms += 1000;
	said_before(&b, told(60, "elsewhere", 1, 0, 0));
	says(&b, told(100, "elsewhere", 1, 0, 0));
	hearer_settle(&b, &highest);
	says(&b, told(101, "elsewhere", 1, 0, 0));
	assert_int_equal(verdict(&b, highest), VOUCH_NONE);
	at.ms += 1000;
	see_beaten(at.a); /* the master is there, but that one does not carry its beats */
	assert_int_equal(verdict(&b, highest), VOUCH_NONE);
	beat(); /* now it does */
	assert_int_equal(verdict(&b, highest), VOUCH_SURE);
}

static void test_unknown_sender(void **state)
{
	struct hearer b = { 0 };
	uint64_t highest = 0;

	(void)state;
	says(&b, told(100, "relay", 1, 0, 0));
	hearer_settle(&b, &highest);
	says(&b, told(101, "relay", 1, 0, 0));
	assert_int_equal(verdict(&b, highest), VOUCH_BLIND);
	says(&b, told(101, "a", 1, 0, 0));
	assert_int_equal(verdict(&b, highest), VOUCH_SURE);
}

/* A message that came since the first look, by the slave's own clock, from the master itself. */
static void test_message(void **state)
{
	struct hearer b = { 0 };
	uint64_t highest = 0;

	(void)state;
	says(&b, told(100, "10.0.0.1", 1, 90 * SECOND_US, 100 * SECOND_US));
	hearer_settle(&b, &highest);
	says(&b, told(100, "10.0.0.1", 1, 95 * SECOND_US, 101 * SECOND_US));
	assert_int_equal(verdict(&b, highest), VOUCH_NONE);
	hearer_settle(&b, &highest);
	says(&b, told(100, "10.0.0.1", 1, 100 * SECOND_US + 1, 102 * SECOND_US));
	assert_int_equal(verdict(&b, highest), VOUCH_SURE);
	hearer_settle(&b, &highest);
	says(&b, told(100, "10.0.0.1", 1, 100 * SECOND_US + 1, 103 * SECOND_US));
	assert_int_equal(verdict(&b, highest), VOUCH_NONE); /* the same message does not vouch twice */
	says(&b, told(100, "relay", 1, 104 * SECOND_US, 105 * SECOND_US));
	assert_int_equal(verdict(&b, highest), VOUCH_NONE); /* a relay speaks without its master */
}

/* Who hears whom nobody knows vouches for no longer than a slave may be behind. */
static void test_until(void **state)
{
	int64_t last_ms;

	(void)state;
	beat();
	last_ms = at.cluster->beats.last_steady_ms;
	assert_int_equal(vouch_until(at.fleet, at.cluster, last_ms + 1000, false), last_ms + 11000);
	assert_int_equal(vouch_until(at.fleet, at.cluster, last_ms + 1000, true), last_ms + 11000);
	assert_int_equal(vouch_until(at.fleet, at.cluster, last_ms + 115000, true), last_ms + 120000);
	assert_int_equal(vouch_until(at.fleet, at.cluster, last_ms + 120000, true), 0);
	assert_int_equal(vouch_until(at.fleet, at.cluster, last_ms + 120000, false), last_ms + 130000);
}

static void test_wanted(void **state)
{
	struct moment now = kit_moment(at.ms, KIT_BASE_MS);

	(void)state;
	assert_true(node_wants_opinion(at.fleet, at.a, REASON_HUNG, &now));
	assert_false(node_wants_opinion(at.fleet, at.b, REASON_HUNG, &now));
	at.config->down_after = 2;
	assert_false(node_wants_opinion(at.fleet, at.a, REASON_HUNG, &now));
	at.config->down_after = 1;
	at.config->second_opinion = false;
	assert_false(node_wants_opinion(at.fleet, at.a, REASON_HUNG, &now));
	at.config->second_opinion = true;
	fleet_cut_off(at.fleet, &now);
	assert_false(node_wants_opinion(at.fleet, at.a, REASON_HUNG, &now));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_growth),
		TEST(test_catching_up),
		TEST(test_without_opinion),
		TEST(test_sender),
		TEST(test_sender_since_the_last_beat),
		TEST(test_unknown_sender),
		TEST(test_message),
		TEST(test_until),
		TEST(test_wanted),
	};

	return cmocka_run_group_tests_name("vouch", tests, NULL, NULL);
}
