/*
 * Silences in the state file: written by core/, read again by records/; what is wrong with one costs that one, and whatever
 * the bytes are, nothing breaks. Environment: ROUNDS (2000), SEED (1).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/saved.h"
#include "records/saved_file.h"
#include "support/kit.h"

static char path[64];

static int make_path(void **state)
{
	(void)state;
	(void)snprintf(path, sizeof(path), "/tmp/plusmoin-silences-%d.json", (int)getpid());
	return 0;
}

static int remove_path(void **state)
{
	char *aside = mem_printf("%s.damaged", path);

	(void)state;
	(void)unlink(path);
	(void)unlink(aside);
	free(aside);
	return 0;
}

static struct saved *read_text(const char *text, size_t len, char **why)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	(void)fwrite(text, 1, len, file);
	(void)fclose(file);
	return saved_file_read(path, why);
}

#define HEAD "{\"version\":1,\"next_id\":0,\"event_count\":0,\"clusters\":[]"
#define SILENCE(target, until) "{\"target\":" target ",\"since_ms\":5,\"until_ms\":" until ",\"by\":\"a\",\"reason\":\"\"}"

static void put(struct silences *silences, const char *target, const char *reason)
{
	struct silence silence = { .since_ms = 5, .until_ms = 7, .by = (char *)"alice", .reason = (char *)reason };

	assert_true(silence_read_target(&silence, target));
	assert_true(silences_put(silences, &silence));
	free(silence.node);
}

static void test_what_was_written_is_read(void **state)
{
	struct config *config = config_new();
	struct moment now = kit_moment(1000, 1000);
	struct silences silences = { 0 };
	struct buf text = { 0 };
	struct fleet *fleet;
	struct saved *saved;
	char *why;

	(void)state;
	config_seal(config);
	fleet = fleet_new(config, &now);
	put(&silences, "all", "");
	put(&silences, "3", "\"quoted\" \xc3\xa9");
	put(&silences, "/run/pg:5432", "upgrade");
	saved_render(fleet, 0, &silences, &now, &text);
	saved = read_text(buf_text(&text), text.len, &why);
	assert_null(why);
	assert_int_equal(saved->silences.count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(silence_same(&silences.items[i], &saved->silences.items[i]));
	saved_free(&saved);
	buf_free(&text);
	silences_free(&silences);
	fleet_free(&fleet);
	config_unref(&config);
}

static void test_an_older_file_has_none(void **state)
{
	struct saved *saved;
	char *why;

	(void)state;
	saved = read_text(HEAD "}", strlen(HEAD "}"), &why);
	assert_null(why);
	assert_int_equal(saved->silences.count, 0);
	saved_free(&saved);
}

/* So many are left out, first for that. */
static void leaves_out(const char *list, size_t count, const char *wrong, size_t left)
{
	char *text = mem_printf(HEAD ",\"silences\":%s}", list);
	char *words = mem_printf("damaged (%s): %zu parts", wrong, count);
	char *why;
	struct saved *saved = read_text(text, strlen(text), &why);

	assert_non_null(why);
	if (strstr(why, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", why, words);
	assert_int_equal(saved->silences.count, left);
	saved_free(&saved);
	free(why);
	free(words);
	free(text);
}

static void test_a_damaged_one_is_left_out(void **state)
{
	struct buf many = { 0 };

	(void)state;
	leaves_out("5", 1, "silences", 0);
	leaves_out("[" SILENCE("\"a:1\"", "7") ",7," SILENCE("\"2\"", "7") "]", 1, "target", 2);
	leaves_out("[" SILENCE("\"a\"", "7") "," SILENCE("\"2\"", "7") "]", 1, "target", 1);
	leaves_out("[" SILENCE("\"a:1\"", "-7") "," SILENCE("\"2\"", "7.5") "]", 2, "until_ms", 0);
	leaves_out("[" SILENCE("\"a:1\"", "9223372036854775807") "]", 1, "until_ms", 0);
	leaves_out("[{\"target\":\"all\",\"since_ms\":1,\"until_ms\":1,\"by\":7,\"reason\":\"\"}]", 1, "by", 0);
	leaves_out("[{\"target\":\"all\",\"since_ms\":1,\"until_ms\":1,\"by\":\"\"}]", 1, "reason", 0);
	for (int i = 0; i < SILENCES_MOST + 5; i++)
		buf_addf(&many, "%c{\"target\":\"%d\",\"since_ms\":1,\"until_ms\":1,\"by\":\"\",\"reason\":\"\"}",
			 i > 0 ? ',' : '[', i);
	buf_add_char(&many, ']');
	leaves_out(buf_text(&many), 5, "silences", SILENCES_MOST);
	buf_free(&many);
}

static unsigned long seed = 1;

static size_t below(size_t limit)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (size_t)(seed >> 33) % limit;
}

static void test_whatever_the_bytes_are(void **state)
{
	static const char whole[] = HEAD ",\"silences\":[" SILENCE("\"a:1\"", "7") "," SILENCE("\"2\"", "1700000000000") ","
					 SILENCE("\"all\"", "7") "]}";
	long rounds = getenv("ROUNDS") != NULL ? atol(getenv("ROUNDS")) : 2000;

	(void)state;
	seed = getenv("SEED") != NULL ? strtoul(getenv("SEED"), NULL, 10) : 1;
	while (rounds-- > 0) {
		char text[sizeof(whole)];
		char *why;
		struct saved *saved;

		memcpy(text, whole, sizeof(whole));
		for (size_t i = below(6); i > 0; i--)
			text[sizeof(HEAD) + below(sizeof(whole) - sizeof(HEAD))] = "\"\\{}[]:,0179 -e.x\xc3\xff"[below(20)];
		saved = read_text(text, sizeof(whole) - 1 - below(3), &why);
		assert_true(saved == NULL || saved->silences.count <= 3);
		saved_free(&saved);
		free(why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_written_is_read),
		cmocka_unit_test(test_an_older_file_has_none),
		cmocka_unit_test(test_a_damaged_one_is_left_out),
		cmocka_unit_test(test_whatever_the_bytes_are),
	};

	return cmocka_run_group_tests_name("silence_json", tests, make_path, remove_path);
}
