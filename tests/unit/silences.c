/* Until when which triggers do not run (core/silences.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/silences.h"

#define NOW 1764504224000 /* 2025-11-30 12:03:44 UTC */

/* Of texts that outlive it; nothing in it is to be freed. */
static struct silence silence_of(const char *target, int64_t until_ms)
{
	static char node[SILENCE_TARGET_BYTES];
	struct silence silence = { 0 };

	assert_true(silence_read_target(&silence, target));
	if (silence.node != NULL) {
		(void)snprintf(node, sizeof(node), "%s", silence.node);
		free(silence.node);
		silence.node = node;
	}
	silence.until_ms = until_ms;
	silence.by = (char *)"alice";
	silence.reason = (char *)"";
	return silence;
}

static bool put(struct silences *silences, const char *target, int64_t until_ms)
{
	struct silence silence = silence_of(target, until_ms);

	return silences_put(silences, &silence);
}

/* An event of the cluster, about the node HOST:5432 (NULL: about none). */
static struct event *event_of(int cluster_id, const char *host)
{
	struct view *view = view_new_empty();
	struct event *event;

	view->cluster_id = cluster_id;
	event = event_new(EVENT_SLAVE_DOWN, "1-1", view, view, NOW);
	if (host != NULL)
		event->node = node_view_new(&(struct node_view){ .host = host, .port = 5432, .name = "n", .master_name = "" });
	view_unref(&view);
	return event;
}

/* The target of the silence in which such an event falls, "-": in none. */
static void falls_in(const struct silences *silences, int cluster_id, const char *host, int64_t now_ms, const char *expected)
{
	struct event *event = event_of(cluster_id, host);
	const struct silence *found = silences_of_event(silences, event, now_ms);
	char *target = found != NULL ? silence_target(found) : mem_strdup("-");

	assert_string_equal(expected, target);
	free(target);
	event_unref(&event);
}

static void test_targets(void **state)
{
	static const char *const good[] = { "all", "0", "123456789", "db1:5432", "/run/postgresql:5432", "::1:5433" };
	static const char *const bad[] = { "", "db1", "All", "-1", "1234567890", ":5432", "db1:", "db1:x", "1 ", "db1:5432 " };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct silence silence = { 0 };
		char *target;

		assert_true(silence_read_target(&silence, good[i]));
		target = silence_target(&silence);
		assert_string_equal(good[i], target);
		free(target);
		silence_clear(&silence);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct silence silence = { 0 };

		assert_false(silence_read_target(&silence, bad[i]));
	}
}

static void test_an_event_falls_in_that_of_its_node_its_cluster_or_all(void **state)
{
	struct silences silences = { 0 };

	(void)state;
	falls_in(&silences, 0, "a", NOW, "-");
	assert_true(put(&silences, "a:5432", NOW + 1000));
	assert_true(put(&silences, "1", NOW + 2000));
	falls_in(&silences, 0, "a", NOW, "a:5432");
	falls_in(&silences, 0, "a", NOW + 999, "a:5432");
	falls_in(&silences, 0, "a", NOW + 1000, "-"); /* it is over by itself */
	falls_in(&silences, 0, "b", NOW, "-");
	falls_in(&silences, 0, NULL, NOW, "-");
	falls_in(&silences, 1, "b", NOW, "1");
	falls_in(&silences, 1, NULL, NOW, "1"); /* a heartbeat */
	falls_in(&silences, -1, NULL, NOW, "-"); /* the monitor is isolated */
	falls_in(&silences, 1, "a", NOW, "1");  /* that which ends last */
	assert_true(put(&silences, "all", NOW + 3000));
	falls_in(&silences, -1, NULL, NOW, "all");
	falls_in(&silences, 0, "a", NOW, "all");
	falls_in(&silences, 1, "b", NOW + 2500, "all");
	silences_free(&silences);
}

static void test_one_for_each_target(void **state)
{
	struct silences silences = { 0 };
	struct silence like = silence_of("a:5432", 0);
	char target[32];

	(void)state;
	assert_true(put(&silences, "a:5432", NOW + 1));
	assert_true(put(&silences, "a:5432", NOW + 2));
	assert_int_equal(1, silences.count);
	assert_int_equal(NOW + 2, silences_find(&silences, &like)->until_ms);
	for (int i = 1; i < SILENCES_MOST; i++) {
		(void)snprintf(target, sizeof(target), "%d", i);
		assert_true(put(&silences, target, NOW + i));
	}
	assert_false(put(&silences, "all", NOW));
	assert_true(put(&silences, "999", NOW)); /* it takes the place of one */
	assert_true(put(&silences, "a:5432", NOW));
	like = silence_of("500", 0);
	assert_true(silences_drop(&silences, &like));
	assert_false(silences_drop(&silences, &like));
	assert_true(put(&silences, "all", NOW));
	assert_int_equal(SILENCES_MOST, silences.count);
	silences_free(&silences);
}

static void test_the_next_end(void **state)
{
	struct silences silences = { 0 };
	const struct silence *over;
	int ended = 0;

	(void)state;
	assert_true(silences_next_end(&silences) == INT64_MAX);
	assert_null(silences_over(&silences, INT64_MAX));
	assert_true(put(&silences, "3", NOW + 3));
	assert_true(put(&silences, "1", NOW + 1));
	assert_true(put(&silences, "b:1", NOW + 2));
	assert_true(silences_next_end(&silences) == NOW + 1);
	assert_null(silences_over(&silences, NOW));
	while ((over = silences_over(&silences, NOW + 2)) != NULL) {
		assert_true(silences_drop(&silences, over));
		ended++;
	}
	assert_int_equal(2, ended);
	assert_true(silences_next_end(&silences) == NOW + 3);
	silences_free(&silences);
}

static void says(const struct silence *silence, const char *expected)
{
	struct buf text = { 0 };

	silence_add_words(silence, &text);
	assert_string_equal(expected, buf_text(&text));
	buf_free(&text);
}

static void test_words(void **state)
{
	struct silence silence = silence_of("all", NOW);

	(void)state;
	says(&silence, "silenced by alice until 2025-11-30 12:03:44 UTC");
	silence.reason = (char *)"upgrade";
	says(&silence, "silenced by alice until 2025-11-30 12:03:44 UTC (upgrade)");
}

static void cleans(const char *text, const char *expected)
{
	char *clean = silence_clean_reason(text);

	assert_string_equal(expected, clean);
	free(clean);
}

static void test_a_reason_is_one_line_of_so_many_bytes(void **state)
{
	char text[SILENCE_REASON_BYTES + 3];

	(void)state;
	cleans(NULL, "");
	cleans("up\ngrade\x1b[2J\x7f \xc2\x9b \xff \xc3\xa9", "up grade [2J    \xef\xbf\xbd \xc3\xa9");
	memset(text, 'x', sizeof(text));
	(void)snprintf(text + SILENCE_REASON_BYTES - 1, 4, "\xc3\xa9y");
	text[SILENCE_REASON_BYTES + 2] = '\0';
	{
		char *clean = silence_clean_reason(text);

		assert_int_equal(SILENCE_REASON_BYTES - 1, strlen(clean)); /* no half of a character */
		free(clean);
	}
}

static void test_json(void **state)
{
	struct silences silences = { 0 };
	struct buf text = { 0 };
	struct json json = { .out = &text };

	(void)state;
	assert_true(put(&silences, "a:1", NOW));
	assert_true(put(&silences, "7", NOW));
	silences_render_stored(&silences, &json);
	assert_string_equal("[{\"target\":\"7\",\"since_ms\":0,\"until_ms\":1764504224000,\"by\":\"alice\",\"reason\":\"\"},"
			    "{\"target\":\"a:1\",\"since_ms\":0,\"until_ms\":1764504224000,\"by\":\"alice\",\"reason\":\"\"}]",
			    buf_text(&text));
	buf_clear(&text);
	json.comma = false;
	silence_render(&silences.items[0], &json);
	assert_string_equal("\"target\":\"7\",\"kind\":\"cluster\",\"since\":0.000,\"until\":1764504224.000,"
			    "\"by\":\"alice\",\"reason\":\"\"", buf_text(&text));
	buf_free(&text);
	silences_free(&silences);
}

static void test_same(void **state)
{
	struct silence a = silence_of("1", NOW);
	struct silence b = silence_of("1", NOW);

	(void)state;
	assert_true(silence_same(&a, &b));
	b.reason = (char *)"x";
	assert_false(silence_same(&a, &b));
	b = silence_of("1", NOW + 1);
	assert_false(silence_same(&a, &b));
	b = silence_of("2", NOW);
	assert_false(silence_same(&a, &b));
	b = silence_of("1", NOW);
	b.by = (char *)"bob";
	assert_false(silence_same(&a, &b));
	b.by = a.by;
	b.since_ms = 1;
	assert_false(silence_same(&a, &b));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_an_event_falls_in_that_of_its_node_its_cluster_or_all),
		cmocka_unit_test(test_one_for_each_target),
		cmocka_unit_test(test_the_next_end),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_a_reason_is_one_line_of_so_many_bytes),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
