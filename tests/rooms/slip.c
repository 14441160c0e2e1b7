/*
 * What monitors ask and tell each other by etcd's keys (council/slip.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "council/slip.h"

static void test_a_question(void **state)
{
	struct slip slip;
	char *key = slip_ask_key("db1:5432");
	char *text = slip_ask_text("a", 1796080919000001);

	(void)state;
	assert_string_equal(key, "ask/db1:5432");
	assert_true(slip_read(&slip, key, text));
	assert_true(slip.is_question);
	assert_string_equal(slip.node, "db1:5432");
	assert_string_equal(slip.monitor, "a");
	assert_true(slip.number == 1796080919000001);
	slip_clear(&slip);
	assert_true(slip_read(&slip, key, NULL)); /* it is gone */
	assert_true(slip.is_question);
	assert_int_equal(slip.number, 0);
	assert_null(slip.monitor);
	slip_clear(&slip);
	free(key);
	free(text);
}

static void test_a_vote(void **state)
{
	const struct vote vote = { .says = VOTE_FAILS, .reason = REASON_HUNG };
	struct slip slip;
	char *key = slip_see_key("b 2", "/run/pg:5432");
	char *text = slip_see_text(7, &vote, 3);

	(void)state;
	assert_string_equal(key, "see/b 2//run/pg:5432");
	assert_true(slip_read(&slip, key, text));
	assert_false(slip.is_question);
	assert_string_equal(slip.node, "/run/pg:5432");
	assert_string_equal(slip.vote.monitor, "b 2");
	assert_int_equal(slip.vote.says, VOTE_FAILS);
	assert_int_equal(slip.vote.reason, REASON_HUNG);
	assert_int_equal(slip.number, 7);
	assert_int_equal(slip.missing, 3);
	slip_clear(&slip);
	free(key);
	free(text);
}

static void test_what_is_none(void **state)
{
	static const struct {
		const char *key;
		const char *text;
	} none[] = {
		{ "state/meta", "{}" },
		{ "see/b", "{\"number\": 1, \"sees\": \"fails\"}" },
		{ "see/b/a:1", "" },
		{ "see/b/a:1", "no JSON" },
		{ "see/b/a:1", "[]" },
		{ "see/b/a:1", "{\"number\": 0, \"sees\": \"fails\"}" },
		{ "see/b/a:1", "{\"number\": -1, \"sees\": \"fails\"}" },
		{ "see/b/a:1", "{\"number\": 1, \"sees\": \"perhaps\"}" },
		{ "see/b/a:1", "{\"number\": 1}" },
		{ "see/b/a:1", "{\"number\": 1, \"sees\": \"fails\", \"missing\": -1}" },
		{ "ask/a:1", "{\"number\": 1}" },
		{ "ask/a:1", "{\"from\": \"b\"}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		struct slip slip;

		assert_false(slip_read(&slip, none[i].key, none[i].text));
		slip_clear(&slip);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_question),
		cmocka_unit_test(test_a_vote),
		cmocka_unit_test(test_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
