/* HAProxy's agent-check (core/agent_line.h): what is asked, and a row for each answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "core/agent_line.h"
#include "support/kit.h"

struct line_row {
	const char *line;
	const char *name; /* NULL: it is refused */
	enum health health;
	int64_t lag_limit_ms;
};

static const struct line_row lines[] = {
	{ "db1:5432 primary", "db1:5432", HEALTH_PRIMARY, HEALTH_NO_LIMIT },
	{ "db1 replica\r", "db1", HEALTH_REPLICA, HEALTH_NO_LIMIT },
	{ "  db1 \t replica  lag=5 ", "db1", HEALTH_REPLICA, 5000 },
	{ "db1 read-only lag=0.25", "db1", HEALTH_READ_ONLY, 250 },
	{ "db1 health", "db1", HEALTH_MEMBER, HEALTH_NO_LIMIT },
	{ "the first one primary", "the first one", HEALTH_PRIMARY, HEALTH_NO_LIMIT },
	{ "primary primary", "primary", HEALTH_PRIMARY, HEALTH_NO_LIMIT },
	{ "", NULL, 0, 0 },
	{ " ", NULL, 0, 0 },
	{ "db1", NULL, 0, 0 },
	{ "primary", NULL, 0, 0 },
	{ " primary", NULL, 0, 0 },
	{ "db1 slave", NULL, 0, 0 },
	{ "db1 lag=5", NULL, 0, 0 },
	{ "lag=5", NULL, 0, 0 },
	{ "primary lag=5", NULL, 0, 0 },
	{ "db1 replica lag=", NULL, 0, 0 },
	{ "db1 replica lag=5s", NULL, 0, 0 },
};

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char *text = mem_strdup(lines[i].line);
		struct agent_line asked;
		const char *wrong = agent_line_parse(text, &asked);

		if ((wrong == NULL) != (lines[i].name != NULL))
			fail_msg("\"%s\": %s", lines[i].line, wrong != NULL ? wrong : "is taken");
		if (wrong == NULL) {
			assert_string_equal(asked.name, lines[i].name);
			assert_int_equal(asked.health, lines[i].health);
			assert_int_equal(asked.lag_limit_ms, lines[i].lag_limit_ms);
		}
		free(text);
	}
}

/* Whatever comes is a question with a name in it, or is refused (under ASan: and nothing else is read). */
static void test_noise(void **state)
{
	static const char *const pieces[] = { " ", "\t", "\r", "lag=", "5", ".", "primary", "replica", "db1", "\xff", "=", "" };
	unsigned random = (unsigned)time(NULL);

	(void)state;
	print_message("seed %u\n", random);
	for (int run = 0; run < 50000; run++) {
		struct buf line = { 0 };
		struct agent_line asked;
		char *text;

		for (int i = (int)(random >> 8) % 9; i > 0; i--) {
			random = random * 1103515245 + 12345;
			buf_add_str(&line, pieces[(random >> 8) % (sizeof(pieces) / sizeof(pieces[0]))]);
		}
		random = random * 1103515245 + 12345;
		text = line.data != NULL ? buf_steal(&line) : mem_strdup("");
		if (agent_line_parse(text, &asked) == NULL) {
			assert_true(asked.name[0] != '\0' && asked.name[0] != ' ');
			assert_in_range(asked.lag_limit_ms, 0, HEALTH_NO_LIMIT);
		}
		free(text);
	}
}

struct answer_row {
	enum health health;
	enum place place;
	const char *first;
	int64_t lag_ms;
	const char *answer;
};

static const struct answer_row answers[] = {
	{ HEALTH_PRIMARY, PLACE_MASTER, NULL, 0, "up ready 100%\n" },
	{ HEALTH_PRIMARY, PLACE_SLAVE, NULL, 0, "up drain\n" },
	{ HEALTH_PRIMARY, PLACE_MASTER, "db2", 0, "fail #db1 is master (split_brain: db2 sat first)\n" },
	{ HEALTH_PRIMARY, PLACE_LOST, NULL, 0, "fail #db1 is lost\n" },
	{ HEALTH_PRIMARY, PLACE_CLUSTERLESS, NULL, 0, "fail #db1 is clusterless\n" },
	{ HEALTH_REPLICA, PLACE_MASTER, NULL, 0, "up drain\n" },
	{ HEALTH_REPLICA, PLACE_SLAVE, NULL, 2000, "up ready 100%\n" },
	{ HEALTH_REPLICA, PLACE_SLAVE, NULL, 3000, "up ready 50%\n" },
	{ HEALTH_REPLICA, PLACE_SLAVE, NULL, 4000, "up ready 1%\n" },
	{ HEALTH_REPLICA, PLACE_SLAVE, NULL, 4001, "up drain\n" },
	{ HEALTH_REPLICA, PLACE_LOST, NULL, 0, "fail #db1 is lost\n" },
	{ HEALTH_READ_ONLY, PLACE_MASTER, NULL, 0, "up ready 100%\n" },
	{ HEALTH_READ_ONLY, PLACE_SLAVE, NULL, 3000, "up ready 50%\n" },
	{ HEALTH_READ_ONLY, PLACE_MASTER, "db2", 0, "up drain\n" },
	{ HEALTH_MEMBER, PLACE_SLAVE, NULL, 0, "up ready 100%\n" },
};

static void test_answers(void **state)
{
	struct buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		const struct agent_line asked = { .health = answers[i].health, .lag_limit_ms = 4000 };
		const struct node_view node = {
			.name = "db1",
			.state = answers[i].place,
			.first = answers[i].first,
			.judged_lag_ms = answers[i].lag_ms,
			.lag_bar_ms = answers[i].lag_ms,
		};

		agent_line_answer(&asked, &node, &out);
		assert_string_equal(buf_text(&out), answers[i].answer);
		buf_clear(&out);
	}
	agent_line_answer(&(struct agent_line){ .health = HEALTH_REPLICA }, NULL, &out);
	assert_string_equal(buf_text(&out), "fail #plusmoin watches no node of this name, or several have it\n");
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests_name("agent_line", tests, NULL, NULL);
}
