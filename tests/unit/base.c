/* The base layer: buffers, lists, text, secrets, the JSON writer, the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/secret.h"
#include "base/json.h"
#include "base/log.h"
#include "base/log_queue.h"
#include "base/mem.h"
#include "base/text.h"

static void test_buf_grows_and_stays_terminated(void **state)
{
	struct buf buf = { 0 };
	char *stolen;

	(void)state;
	assert_string_equal(buf_text(&buf), "");
	buf_addf(&buf, "%s", "");
	assert_int_equal(buf.len, 0);
	for (int i = 0; i < 1000; i++)
		buf_addf(&buf, "%03d ", i);
	assert_int_equal(buf.len, 4000);
	assert_int_equal(strlen(buf_text(&buf)), 4000);
	assert_memory_equal(buf_text(&buf) + 3996, "999 ", 5);
	buf_drop(&buf, 3996);
	assert_string_equal(buf_text(&buf), "999 ");
	buf_drop(&buf, 100);
	assert_string_equal(buf_text(&buf), "");
	buf_add(&buf, "a\0b", 3);
	assert_int_equal(buf.len, 3);
	stolen = buf_steal(&buf);
	assert_memory_equal(stolen, "a\0b", 4);
	assert_null(buf.data);
	free(stolen);
	stolen = buf_steal(&buf);
	assert_string_equal(stolen, "");
	free(stolen);
	buf_clear(&buf);
	buf_free(&buf);
}

/* Whatever is put in and taken out where, beside an array that is moved whole. */
static void test_list_at_random(void **state)
{
	char *expected[65];
	struct list list = { 0 };
	unsigned random = 1;
	size_t count = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		size_t at;

		random = random * 1103515245 + 12345;
		at = (random >> 8) % (count + 1);
		if (count < 64 && (random >> 24) % 64 >= count) {
			char *item = (char *)expected + i % 1000;

			memmove(&expected[at + 1], &expected[at], (count++ - at) * sizeof(char *));
			expected[at] = item;
			list_insert(&list, at, item);
		} else if (at < count) {
			assert_ptr_equal(list_remove_at(&list, at), expected[at]);
			memmove(&expected[at], &expected[at + 1], (--count - at) * sizeof(char *));
		}
		assert_int_equal(list.count, count);
		assert_memory_equal(list.items, expected, count * sizeof(char *));
		if (i % 1000 == 999) {
			list.count = count = 0;
			assert_null(list_shift(&list));
		}
	}
	list_free(&list);
}

static void test_list_keeps_its_order(void **state)
{
	struct list list = { 0 };
	int items[20];

	(void)state;
	assert_null(list_shift(&list));
	for (int i = 0; i < 20; i++)
		list_insert(&list, (size_t)i / 2, &items[i]);
	assert_int_equal(list.count, 20);
	assert_ptr_equal(list.items[0], &items[1]);
	assert_true(list_remove(&list, &items[1]));
	assert_false(list_remove(&list, &items[1]));
	assert_false(list_has(&list, &items[1]));
	assert_true(list_has(&list, &items[0]));
	assert_ptr_equal(list_shift(&list), &items[3]);
	list_add(&list, &items[1]);
	assert_ptr_equal(list.items[list.count - 1], &items[1]);
	assert_int_equal(list.count, 19);
	list_free(&list);
	assert_int_equal(list.count, 0);
}

static void test_characters(void **state)
{
	(void)state;
	assert_int_equal(text_char_len("", 0), 0);
	assert_int_equal(text_char_len("a", 1), 1);
	assert_int_equal(text_char_len("\xC3\xA9", 2), 2);
	assert_int_equal(text_char_len("\xC3\xA9", 1), 0);
	assert_int_equal(text_char_len("\xE2\x82\xAC", 3), 3);
	assert_int_equal(text_char_len("\xF0\x9F\x90\x98", 4), 4);
	assert_int_equal(text_char_len("\xF0\x9F\x90\x98", 3), 0);
	assert_int_equal(text_char_len("\xC0\x80", 2), 0);	   /* overlong */
	assert_int_equal(text_char_len("\xE0\x9F\xBF", 3), 0);	   /* overlong */
	assert_int_equal(text_char_len("\xF0\x8F\xBF\xBF", 4), 0); /* overlong */
	assert_int_equal(text_char_len("\xED\xA0\x80", 3), 0);	   /* a surrogate */
	assert_int_equal(text_char_len("\xF4\x90\x80\x80", 4), 0); /* beyond U+10FFFF */
	assert_int_equal(text_char_len("\x80", 1), 0);
	assert_int_equal(text_char_len("\xFF", 1), 0);
}

static void test_copies_end_at_a_character(void **state)
{
	char out[6];

	(void)state;
	text_copy(out, sizeof(out), NULL);
	assert_string_equal(out, "");
	text_copy(out, sizeof(out), "12345");
	assert_string_equal(out, "12345");
	text_copy(out, sizeof(out), "123456");
	assert_string_equal(out, "12345");
	text_copy(out, sizeof(out), "1234\xC3\xA9");
	assert_string_equal(out, "1234");
	text_copy(out, sizeof(out), "12\xE2\x82\xAC");
	assert_string_equal(out, "12\xE2\x82\xAC");
	for (size_t cut = 0; cut < 4; cut++) { /* wherever the cut falls in it */
		text_copy(out, 3 + cut, "12\xF0\x9F\x90\x98");
		assert_string_equal(out, "12");
	}
	text_copy(out, sizeof(out), "1234\xE2\x82\xAC");
	assert_string_equal(out, "1234");
	text_copy(out, sizeof(out), "\x80\x80\x80\x80\x80\x80\x80"); /* no characters at all */
	assert_string_equal(out, "\x80\x80\x80\x80\x80");
}

static void test_escaping_for_a_line(void **state)
{
	static const char text[] = "a\nb\tc\rd\x1B[1m\x7F \xC3\xA9 \xC2\x85 \xFF\xC3";
	struct buf out = { 0 };

	(void)state;
	text_add_escaped(&out, text, sizeof(text) - 1);
	assert_string_equal(buf_text(&out), "a\\nb\\tc\\rd\\x1b[1m\\x7f \xC3\xA9 \\x85 "
					    "\xEF\xBF\xBD\xEF\xBF\xBD");
	buf_free(&out);
}

static void scrubs(const char *text, const char *expected)
{
	char *got = secret_scrub(text, SIZE_MAX);

	assert_string_equal(got, expected);
	free(got);
}

/* Of three letters, one of which is no part of a word; never empty. */
static char *random_text(size_t most)
{
	size_t len = 1 + (size_t)random() % most;
	char *text = mem_alloc(len + 1);

	for (size_t i = 0; i < len; i++)
		text[i] = "ab-"[random() % 3];
	text[len] = '\0';
	return text;
}

/* What secret_scrub() has to make of it, by a look at every secret everywhere. */
static char *scrub_slowly(const char *text, char *const *secrets, size_t count)
{
	struct buf out = { 0 };

	for (const char *at = text; *at != '\0';) {
		size_t longest = 0;

		for (size_t i = 0; i < count; i++) {
			size_t len = strlen(secrets[i]);
			bool begins = at > text && at[-1] != '-' && secrets[i][0] != '-';
			bool goes_on = strlen(at) > len && at[len] != '-' && secrets[i][len - 1] != '-';

			if (len > longest && strncmp(at, secrets[i], len) == 0 && !begins && !goes_on)
				longest = len;
		}
		buf_add_str(&out, longest > 0 ? "***" : "");
		if (longest == 0)
			buf_add_char(&out, *at);
		at += longest > 0 ? longest : 1;
	}
	return buf_steal(&out);
}

static void test_the_longest_of_many_secrets(void **state)
{
	char *secrets[40];

	(void)state;
	srandom(4711);
	for (int round = 0; round < 300; round++) {
		size_t count = (size_t)(1 + random() % 40);
		struct secrets *load;

		for (size_t i = 0; i < count; i++)
			secrets[i] = random_text(6);
		load = secrets_new(secrets, count);
		for (int i = 0; i < 30; i++) {
			char *text = random_text(30);
			char *expected = scrub_slowly(text, secrets, count);
			char *got = secret_scrub(text, SIZE_MAX);

			assert_string_equal(got, expected);
			assert_true(secret_is(secrets[(size_t)i % count]));
			free(text);
			free(expected);
			free(got);
		}
		assert_false(secret_is("abababa"));
		for (size_t i = 0; i < count; i++)
			free(secrets[i]);
		secrets_unref(&load);
	}
}

static void test_secrets_are_whole_words(void **state)
{
	static char words[][16] = { "cat", "carrot cake", "$x$", "", "cat2" };
	char *passwords[] = { words[0], words[1], words[2], words[3], words[4] };
	struct secrets *load = secrets_new(passwords, 5);

	(void)state;
	scrubs("cat", "***");
	scrubs("password 'cat' is wrong", "password '***' is wrong");
	scrubs("concatenate a cat, catalog cat_a bobcat", "concatenate a ***, catalog cat_a bobcat");
	scrubs("cat cat=cat", "*** ***=***");
	scrubs("cat2 cat", "*** ***");
	scrubs("a carrot cake!", "a ***!");
	scrubs("a$x$b", "a***b"); /* its ends are no word's */
	scrubs("caf\xC3\xA9"
	       "cat",
	       "caf\xC3\xA9"
	       "cat");
	scrubs("", "");
	assert_true(secret_is("cat"));
	assert_false(secret_is("cats"));
	secrets_unref(&load);
	scrubs("cat", "cat");
	assert_false(secret_is("cat"));
}

/* What a load that somebody still holds calls a password is blanked, whatever came after it. */
static void test_secrets_of_all_loads_that_are_held(void **state)
{
	static char words[][8] = { "old", "both", "new" };
	char *earlier[] = { words[0], words[1] };
	char *later[] = { words[1], words[2] };
	struct secrets *old = secrets_new(earlier, 2);
	struct secrets *new = secrets_new(later, 2);
	struct secrets *host = secrets_ref(old);

	(void)state;
	scrubs("old both new", "*** *** ***");
	secrets_unref(&old);
	scrubs("old both new", "*** *** ***");
	secrets_unref(&host);
	scrubs("old both new", "old *** ***");
	secrets_unref(&new);
	secrets_unref(&new);
	scrubs("old both new", "old both new");
}

/* A part of a text has no half of a password at its end, and no half of a character. */
static void test_secrets_in_a_part_of_a_text(void **state)
{
	static char word[] = "carrotcake";
	char *passwords[] = { word };
	struct secrets *load = secrets_new(passwords, 1);
	char *got;

	(void)state;
	got = secret_scrub("my carrotcake is mine", 6);
	assert_string_equal(got, "my ***");
	free(got);
	got = secret_scrub("my carrotcake is mine", 2);
	assert_string_equal(got, "my");
	free(got);
	got = secret_scrub("caf\xC3\xA9", 4);
	assert_string_equal(got, "caf");
	free(got);
	secrets_unref(&load);
}

/* One thread looks at long texts, again and again. */
struct long_look {
	char *text;
	atomic_bool over;
	atomic_ulong ended;
};

static void *look_long(void *data)
{
	struct long_look *look = data;

	while (!atomic_load(&look->over)) {
		free(secret_scrub(look->text, SIZE_MAX));
		atomic_fetch_add(&look->ended, 1);
	}
	return NULL;
}

/* With a lock around it each short text would wait for the end of a long one. */
static void test_a_long_text_holds_up_no_other(void **state)
{
	static char word[] = "carrotcake";
	char *passwords[] = { word };
	struct secrets *load = secrets_new(passwords, 1);
	const size_t bytes = (size_t)32 << 20;
	struct long_look look = { .text = mem_alloc(bytes + 1) };
	unsigned long before;
	pthread_t thread;

	(void)state;
	memset(look.text, 'x', bytes);
	look.text[bytes] = '\0';
	assert_int_equal(pthread_create(&thread, NULL, look_long, &look), 0);
	while (atomic_load(&look.ended) == 0)
		usleep(1000);
	before = atomic_load(&look.ended);
	for (int i = 0; i < 1000; i++)
		scrubs("a carrotcake", "a ***");
	assert_true(atomic_load(&look.ended) - before < 100);
	atomic_store(&look.over, true);
	pthread_join(thread, NULL);
	free(look.text);
	secrets_unref(&load);
}

static void test_json_writer(void **state)
{
	struct buf out = { 0 };
	struct json json = { .out = &out };

	(void)state;
	jsonw_begin_object(&json);
	jsonw_key(&json, "empty");
	jsonw_begin_array(&json);
	jsonw_end_array(&json);
	jsonw_key(&json, "list");
	jsonw_begin_array(&json);
	jsonw_int(&json, INT64_MIN);
	jsonw_seconds(&json, 1250);
	jsonw_seconds(&json, -5);
	jsonw_seconds(&json, -2005);
	jsonw_bool(&json, true);
	jsonw_null(&json);
	jsonw_string(&json, NULL);
	jsonw_begin_object(&json);
	jsonw_end_object(&json);
	jsonw_end_array(&json);
	jsonw_key(&json, "a\"b");
	jsonw_string(&json, "q\" b\\ n\n t\t r\r \x01 \x7F \xC3\xA9");
	jsonw_end_object(&json);
	assert_string_equal(buf_text(&out),
			    "{\"empty\":[],\"list\":[-9223372036854775808,1.250,-0.005,-2.005,true,"
			    "null,null,{}],\"a\\\"b\":\"q\\\" b\\\\ n\\n t\\t r\\r \\u0001 \\u007f "
			    "\xC3\xA9\"}");
	buf_free(&out);
}

static void test_json_invalid_utf8(void **state)
{
	struct buf out = { 0 };
	struct json json = { .out = &out };

	(void)state;
	jsonw_string(&json, "a\xFF"
			   "b\xED\xA0\x80\xC3");
	assert_string_equal(buf_text(&out), "\"a\xEF\xBF\xBD"
					    "b\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
	buf_free(&out);
}

static char *read_all(int fd)
{
	struct buf buf = { 0 };
	char bytes[65536];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		buf_add(&buf, bytes, (size_t)n);
	return buf_steal(&buf);
}

static size_t count_lines(const char *text)
{
	size_t lines = 0;

	for (; *text != '\0'; text++)
		lines += *text == '\n';
	return lines;
}

static void test_log_stop_flushes(void **state)
{
	char path[] = "/tmp/plusmoin-log-XXXXXX";
	int fd = mkstemp(path);
	struct log_about about = { .node = "a:1", .rule = "M2", .has_cluster = true };
	char *text;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(log_start(path, LOG_LEVEL_INFO, LOG_FORMAT_TEXT), 0);
	for (int i = 0; i < 1000; i++)
		log_info("line %d", i);
	log_debug("too fine");
	log_line(LOG_LEVEL_ERROR, &about, "two\nlines");
	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_line(LOG_LEVEL_WARNING, &about, "as JSON");
	assert_true(log_stop(5000));
	text = read_all(fd);
	assert_int_equal(count_lines(text), 1002);
	assert_non_null(strstr(text, " info    line 999\n"));
	assert_non_null(strstr(text, " error   two\\nlines cluster=0 node=a:1 rule=M2\n"));
	assert_non_null(strstr(text, "\"level\":\"warning\",\"message\":\"as JSON\",\"cluster_id\":0,"
				     "\"node\":\"a:1\",\"rule\":\"M2\"}\n"));
	assert_null(strstr(text, "too fine"));
	free(text);
	close(fd);
	unlink(path);
	assert_int_equal(log_start("/nonexistent/x", LOG_LEVEL_INFO, LOG_FORMAT_TEXT), ENOENT);
}

static void drain(int fd, struct buf *all, const char *until)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	char bytes[65536];

	while (strstr(buf_text(all), until) == NULL) {
		ssize_t n;

		assert_true(poll(&poller, 1, 10000) == 1);
		n = read(fd, bytes, sizeof(bytes));
		assert_true(n > 0);
		buf_add(all, bytes, (size_t)n);
	}
}

/* Nobody reads the pipe: the caller is never stopped, what finds no room is counted and said. */
static void test_log_counts_lost_lines(void **state)
{
	char dir[] = "/tmp/plusmoin-log-XXXXXX";
	struct buf all = { 0 };
	size_t said = 0;
	size_t lines;
	char *path;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	path = mem_printf("%s/pipe", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(log_start(path, LOG_LEVEL_INFO, LOG_FORMAT_TEXT), 0);
	for (int i = 0; i < 3 * LOG_QUEUE_LINES; i++)
		log_info("line %d", i);
	drain(fd, &all, "log lines were lost");
	assert_int_equal(sscanf(strstr(buf_text(&all), " error   ") + 9, "%zu", &said), 1);
	log_info("the last");
	drain(fd, &all, "the last\n");
	assert_true(log_stop(5000));
	lines = count_lines(buf_text(&all));
	assert_true(said >= 3 * LOG_QUEUE_LINES - LOG_QUEUE_LINES - 2000);
	assert_int_equal(log_lost(), said);
	assert_int_equal(lines, 3 * LOG_QUEUE_LINES - said + 2);
	buf_free(&all);
	close(fd);
	unlink(path);
	rmdir(dir);
	free(path);
}

/* The queue has a bound in bytes; an error finds room where others do not; a text has a length. */
static void test_log_is_bounded_in_bytes_and_keeps_errors(void **state)
{
	const struct log_about user = { .spare = true };
	const size_t bytes = (size_t)100 << 10;
	char dir[] = "/tmp/plusmoin-log-XXXXXX";
	char *text = mem_alloc(bytes + 1);
	struct buf all = { 0 };
	const char *line;
	char *path;
	int fd;

	(void)state;
	memset(text, 'x', bytes);
	text[bytes] = '\0';
	assert_non_null(mkdtemp(dir));
	path = mem_printf("%s/pipe", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(log_start(path, LOG_LEVEL_INFO, LOG_FORMAT_TEXT), 0);
	for (int i = 0; i < 400; i++) /* 40 MB */
		log_info("%d %s", i, text);
	log_error("kept");
	drain(fd, &all, " kept\n");
	assert_non_null(strstr(buf_text(&all), "log lines were lost"));
	assert_true(all.len < LOG_QUEUE_BYTES + ((size_t)1 << 20));
	log_line(LOG_LEVEL_ERROR, &user, "a user's %s", text);
	log_info("the last");
	drain(fd, &all, "the last\n");
	assert_true(log_stop(5000));
	assert_non_null(strstr(buf_text(&all), "x... (cut: 102402 bytes in all)\n"));
	line = strstr(buf_text(&all), "a user's");
	assert_non_null(strstr(line, "x... (cut: 102409 bytes in all)\n"));
	assert_true(strchr(line, '\n') - line < (ptrdiff_t)LOG_USER_BYTES + 64);
	buf_free(&all);
	close(fd);
	unlink(path);
	rmdir(dir);
	free(path);
	free(text);
}

/* Somebody made our stdout non-blocking (it is shared with other programs): no line is lost. */
static void test_log_to_a_non_blocking_stdout(void **state)
{
	int old = dup(STDOUT_FILENO);
	struct buf all = { 0 };
	int ends[2];

	(void)state;
	fflush(stdout);
	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	assert_true(dup2(ends[1], STDOUT_FILENO) == STDOUT_FILENO);
	close(ends[1]);
	assert_int_equal(log_start(NULL, LOG_LEVEL_INFO, LOG_FORMAT_TEXT), 0);
	for (int i = 0; i < LOG_QUEUE_LINES / 2; i++) /* more than a pipe holds */
		log_info("line %d of many that are a little longer than the others", i);
	log_info("the last");
	drain(ends[0], &all, "the last\n");
	assert_true(log_stop(5000));
	dup2(old, STDOUT_FILENO);
	close(old);
	assert_int_equal(count_lines(buf_text(&all)), LOG_QUEUE_LINES / 2 + 1);
	buf_free(&all);
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf_grows_and_stays_terminated),
		cmocka_unit_test(test_list_keeps_its_order),
		cmocka_unit_test(test_list_at_random),
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_copies_end_at_a_character),
		cmocka_unit_test(test_escaping_for_a_line),
		cmocka_unit_test(test_secrets_are_whole_words),
		cmocka_unit_test(test_the_longest_of_many_secrets),
		cmocka_unit_test(test_secrets_of_all_loads_that_are_held),
		cmocka_unit_test(test_secrets_in_a_part_of_a_text),
		cmocka_unit_test(test_a_long_text_holds_up_no_other),
		cmocka_unit_test(test_json_writer),
		cmocka_unit_test(test_json_invalid_utf8),
		cmocka_unit_test(test_log_stop_flushes),
		cmocka_unit_test(test_log_counts_lost_lines),
		cmocka_unit_test(test_log_is_bounded_in_bytes_and_keeps_errors),
		cmocka_unit_test(test_log_to_a_non_blocking_stdout),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
