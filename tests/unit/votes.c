/*
 * What several monitors say of a node, and what that comes to (core/votes.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/votes.h"

/* A letter for each monitor: f fails, a answers, c cannot say, - has said nothing. */
static struct votes *votes_of(const char *said)
{
	struct votes *votes = votes_new();

	for (size_t i = 0; said[i] != '\0'; i++) {
		char name[2] = { (char)('a' + i), '\0' };
		enum vote_says says = said[i] == 'f'   ? VOTE_FAILS
				      : said[i] == 'a' ? VOTE_ANSWERS
				      : said[i] == 'c' ? VOTE_CANNOT
						       : VOTE_OPEN;

		votes_add(votes, name, says, says == VOTE_FAILS ? REASON_HUNG : REASON_NONE);
	}
	return votes;
}

static void comes_to(const char *said, int need, bool is_over, enum votes_verdict verdict)
{
	struct votes *votes = votes_of(said);

	if (votes_judge(votes, need, is_over) != verdict)
		print_message("%s, %d, %s\n", said, need, is_over ? "over" : "open");
	assert_int_equal(votes_judge(votes, need, is_over), verdict);
	votes_free(&votes);
}

static void test_majority(void **state)
{
	(void)state;
	comes_to("f", VOTES_MAJORITY, false, VOTES_LOST); /* nobody else is there */
	comes_to("f-", VOTES_MAJORITY, false, VOTES_OPEN);
	comes_to("ff", VOTES_MAJORITY, false, VOTES_LOST);
	comes_to("fa", VOTES_MAJORITY, false, VOTES_SEEN); /* one of two is not most of them */
	comes_to("f--", VOTES_MAJORITY, false, VOTES_OPEN);
	comes_to("ff-", VOTES_MAJORITY, false, VOTES_LOST); /* the third is not waited for */
	comes_to("fa-", VOTES_MAJORITY, false, VOTES_OPEN);
	comes_to("faa", VOTES_MAJORITY, false, VOTES_SEEN);
	comes_to("fa---", VOTES_MAJORITY, false, VOTES_OPEN);
	comes_to("faa--", VOTES_MAJORITY, false, VOTES_OPEN);
	comes_to("faaa-", VOTES_MAJORITY, false, VOTES_SEEN);
	comes_to("fff--", VOTES_MAJORITY, false, VOTES_LOST);
	comes_to("ffaa", VOTES_MAJORITY, false, VOTES_SEEN);
}

static void test_who_cannot_say(void **state)
{
	(void)state;
	comes_to("fc", VOTES_MAJORITY, false, VOTES_LOST);
	comes_to("fcc", VOTES_MAJORITY, false, VOTES_LOST);
	comes_to("fc-", VOTES_MAJORITY, false, VOTES_OPEN);
	comes_to("fca", VOTES_MAJORITY, false, VOTES_SEEN);
	comes_to("ffac", VOTES_MAJORITY, false, VOTES_LOST);
	comes_to("cc", VOTES_MAJORITY, true, VOTES_SEEN);
}

static void test_time_is_over(void **state)
{
	(void)state;
	comes_to("f-", VOTES_MAJORITY, true, VOTES_LOST);
	comes_to("f--", VOTES_MAJORITY, true, VOTES_LOST);
	comes_to("fa-", VOTES_MAJORITY, true, VOTES_SEEN);
	comes_to("ffa--", VOTES_MAJORITY, true, VOTES_LOST);
}

static void test_number(void **state)
{
	(void)state;
	comes_to("fa--", 1, false, VOTES_LOST);
	comes_to("f--", 2, false, VOTES_OPEN);
	comes_to("ff-", 2, false, VOTES_LOST);
	comes_to("ffa", 3, false, VOTES_SEEN);
	comes_to("ff-", 3, false, VOTES_OPEN);
	comes_to("ffc", 3, false, VOTES_LOST); /* fewer can say: all of them see it lost */
	comes_to("faaa", 2, false, VOTES_SEEN);
	comes_to("f--", 2, true, VOTES_LOST);
}

/* Whatever is said later does not change a verdict that was given before. */
static void test_early_verdicts_hold(void **state)
{
	static const char letters[] = "fac-";

	(void)state;
	for (int need = VOTES_MAJORITY; need <= 5; need++) {
		for (int code = 0; code < 4 * 4 * 4 * 4; code++) {
			char said[6] = { 'f', letters[code % 4], letters[code / 4 % 4], letters[code / 16 % 4],
					 letters[code / 64], '\0' };
			struct votes *votes = votes_of(said);
			enum votes_verdict verdict = votes_judge(votes, need, false);

			votes_free(&votes);
			for (int i = 1; i < 5 && verdict != VOTES_OPEN; i++) {
				for (int later = 0; said[i] == '-' && later < 3; later++) {
					said[i] = letters[later];
					comes_to(said, need, false, verdict);
					said[i] = '-';
				}
			}
			if (verdict != VOTES_OPEN)
				comes_to(said, need, true, verdict);
		}
	}
}

static void test_who_may_vote(void **state)
{
	struct votes *votes = votes_of("f-");
	struct votes *copy;
	struct buf text = { 0 };
	struct json json = { .out = &text };

	(void)state;
	assert_false(votes_take(votes, "z", VOTE_ANSWERS, REASON_NONE));
	assert_true(votes_take(votes, "b", VOTE_ANSWERS, REASON_NONE));
	copy = votes_copy(votes);
	votes_free(&votes);
	votes_render(copy, &json);
	assert_string_equal(buf_text(&text), "[{\"monitor\":\"a\",\"sees\":\"fails\",\"reason\":\"hung\"},"
					     "{\"monitor\":\"b\",\"sees\":\"answers\",\"reason\":null}]");
	buf_free(&text);
	votes_free(&copy);
	assert_null(votes_copy(NULL));
	assert_int_equal(vote_says_parse("cannot say"), VOTE_CANNOT);
	assert_int_equal(vote_says_parse("no"), VOTE_SAYS);
	assert_int_equal(vote_says_parse(NULL), VOTE_SAYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_majority),
		cmocka_unit_test(test_who_cannot_say),
		cmocka_unit_test(test_time_is_over),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_early_verdicts_hold),
		cmocka_unit_test(test_who_may_vote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
