/* How long a server that refuses us is left alone: by its words, by how long it has said them, by the node's place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/verdict.h"
#include "support/stand.h"

#define LEAST_MS 1000
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

/* The server says the same from 0 to `until_ms`, asked after each pause: how often, and the last pause. */
static int say(struct pause *pause, enum reason reason, int64_t until_ms, int64_t *last_ms)
{
	int count = 0;

	for (int64_t now_ms = 0; now_ms <= until_ms; now_ms += *last_ms) {
		pause_hear(pause, reason, "no", now_ms);
		*last_ms = pause_length(pause, LEAST_MS);
		count++;
	}
	return count;
}

static void test_tenth(void **state)
{
	struct pause pause = { 0 };
	int64_t last_ms;

	(void)state;
	assert_false(pause_is_set(&pause));
	assert_int_equal(pause_length(&pause, LEAST_MS), LEAST_MS);
	assert_int_equal(say(&pause, REASON_AUTH, 9 * SECOND, &last_ms), 10);
	assert_int_equal(last_ms, LEAST_MS);
	pause_hear(&pause, REASON_AUTH, "no", 100 * SECOND);
	assert_int_equal(pause_length(&pause, LEAST_MS), 10 * SECOND);
	pause_hear(&pause, REASON_AUTH, "no", 9 * MINUTE);
	assert_int_equal(pause_length(&pause, LEAST_MS), 54 * SECOND);
	pause_hear(&pause, REASON_AUTH, "no", 100 * HOUR);
	assert_int_equal(pause_length(&pause, LEAST_MS), PAUSE_MOST_MS);
	assert_int_equal(pause_length(&pause, 5 * MINUTE), 5 * MINUTE); /* retry_interval is more than that */
}

/* Lines in the server's log: 28 in the first minute, then fewer and fewer, one a minute in the end. */
static void test_lines(void **state)
{
	struct pause pause = { 0 };
	struct pause starting = { 0 };
	int64_t last_ms;
	int count;

	(void)state;
	count = say(&pause, REASON_FULL, MINUTE, &last_ms);
	assert_in_range(count, 27, 31);
	pause_forget(&pause);
	count = say(&pause, REASON_FULL, HOUR, &last_ms);
	assert_in_range(count, 90, 120); /* 3,600 at one a second */
	assert_int_equal(last_ms, PAUSE_MOST_MS);
	(void)say(&starting, REASON_STARTING, 30 * SECOND, &last_ms);
	assert_in_range(last_ms, 2700, 3000); /* found at once after a short recovery */
	pause_forget(&starting);
	(void)say(&starting, REASON_STARTING, 10 * HOUR, &last_ms);
	assert_int_equal(last_ms, PAUSE_COMING_MS); /* and within 5 s after a long one */
	pause_forget(&starting);
	(void)say(&starting, REASON_SHUTTING_DOWN, HOUR, &last_ms);
	assert_int_equal(last_ms, PAUSE_COMING_MS);
}

/* Whether `other` are the words of `text` still. */
static bool same(const char *text, const char *other)
{
	struct pause pause = { 0 };

	pause_hear(&pause, REASON_AUTH, text, 0);
	pause_hear(&pause, REASON_AUTH, other, HOUR);
	return pause_length(&pause, LEAST_MS) == PAUSE_MOST_MS;
}

static void test_words(void **state)
{
	struct pause pause = { 0 };

	(void)state;
	assert_true(same("", ""));
	assert_true(same("database \"a\" does not exist", "database \"a\" does not exist"));
	assert_false(same("database \"a\" does not exist", "database \"b\" does not exist"));
	assert_false(same("no", "no more"));
	assert_false(same("no", "n o"));
	assert_false(same("\xd0\xbd\xd0\xb5\xd1\x82", "\xd0\xb4\xd0\xb0")); /* in another language, too */
	/* what changes each time has a digit in it */
	assert_true(same("blocked by process 4711, since 12:00:59.1", "blocked by process 13, since 00:01:02.25"));
	assert_true(same("last WAL is 0/16B3748", "last WAL is 3A/1F"));
	pause_hear(&pause, REASON_AUTH, "no", 0);
	pause_hear(&pause, REASON_FULL, "no", HOUR); /* another reason is another word */
	assert_int_equal(pause_length(&pause, LEAST_MS), LEAST_MS);
	pause_hear(&pause, REASON_FULL, "no", 2 * HOUR);
	pause_forget(&pause);
	pause_hear(&pause, REASON_FULL, "no", 2 * HOUR);
	assert_int_equal(pause_length(&pause, LEAST_MS), LEAST_MS);
}

/* Who comes by every second tries at the turn that is the nearest to the pause's end. */
static void test_turns(void **state)
{
	struct pause pause = { 0 };

	(void)state;
	assert_true(pause_is_over(&pause, LEAST_MS, 0));
	pause_hear(&pause, REASON_TABLE, "no", 0);
	assert_false(pause_is_over(&pause, LEAST_MS, 100)); /* an early round */
	assert_true(pause_is_over(&pause, LEAST_MS, 990));
	pause_hear(&pause, REASON_TABLE, "no", 100 * SECOND);
	assert_false(pause_is_over(&pause, LEAST_MS, 109 * SECOND));
	assert_true(pause_is_over(&pause, LEAST_MS, 110 * SECOND));
}

/* The pause of `node`, whose server has said the same for an hour. */
static int64_t length(const struct node *node)
{
	struct pause pause = { 0 };
	struct moment moment = now();

	pause_hear(&pause, REASON_AUTH, "no", 0);
	pause_hear(&pause, REASON_AUTH, "no", HOUR);
	return node_pause_length(at.fleet, node, &pause, &moment);
}

static void test_places(void **state)
{
	struct observation seen = kit_slave("a", KIT_BASE_MS);

	(void)state;
	at.config->down_after = 2;
	at.config->restart_grace_ms = 20 * SECOND;
	assert_int_equal(length(at.b), LEAST_MS);
	assert_int_equal(length(at.d), PAUSE_MOST_MS);
	see(at.b, kit_failure(REASON_STARTING, true)); /* P2 */
	see(at.b, kit_failure(REASON_STARTING, true));
	assert_int_equal(length(at.b), LEAST_MS);
	see(at.c, kit_failure(REASON_READ_ONLY, false)); /* P3 */
	assert_int_equal(length(at.c), LEAST_MS);
	seen.kept = true;
	see(at.c, seen);
	see(at.c, kit_failure(REASON_AUTH, false)); /* P1, without a kept connection */
	assert_int_equal(length(at.c), PAUSE_MOST_MS);
	at.ms += 121 * SECOND; /* P1 is over: the next failure counts */
	assert_int_equal(length(at.c), LEAST_MS);
	assert_int_equal(length(at.b), LEAST_MS);
	seen.door.reason = REASON_FULL; /* it answers, and its door is shut (P1) */
	see(at.c, seen);
	assert_int_equal(length(at.c), PAUSE_MOST_MS);
}

/* A master whose beat is refused is held (P1), or kept for a lock (P5): its place does not hang on the next try. */
static void test_beats(void **state)
{
	struct observation seen = kit_master();

	(void)state;
	seen.kept = true;
	seen.beat = kit_beat(BEAT_FAILED, 0);
	seen.beat.reason = REASON_TABLE;
	assert_int_equal(length(at.a), LEAST_MS);
	see(at.a, seen);
	assert_int_equal(length(at.a), PAUSE_MOST_MS);
	see_beaten(at.a);
	assert_int_equal(length(at.a), LEAST_MS);
	seen.beat = kit_beat(BEAT_LOCKED, 0);
	see(at.a, seen);
	assert_int_equal(length(at.a), PAUSE_MOST_MS);
	at.ms += 121 * SECOND;
	assert_int_equal(length(at.a), LEAST_MS);
}

static void test_said(void **state)
{
	static const enum reason silent[] = { REASON_REFUSED, REASON_UNREACHABLE, REASON_DNS, REASON_TIMEOUT, REASON_RESET,
					      REASON_HUNG, REASON_LAG, REASON_DEMOTED, REASON_NO_NEW_CONNECTIONS };

	(void)state;
	for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
		assert_false(reason_is_said(silent[i]));
	assert_true(reason_is_said(REASON_STARTING));
	assert_true(reason_is_said(REASON_FULL));
	assert_true(reason_is_said(REASON_TLS));
	assert_true(reason_is_said(REASON_QUERY_ERROR));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tenth), cmocka_unit_test(test_lines), cmocka_unit_test(test_words),
		cmocka_unit_test(test_turns), TEST(test_places), TEST(test_beats), cmocka_unit_test(test_said),
	};

	return cmocka_run_group_tests_name("pause", tests, NULL, NULL);
}
