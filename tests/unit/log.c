/* The log's end: repeats, full disks, rotation, another file, the journal. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/log_sink.h"
#include "base/mem.h"

#define LONG_MS 20000

static char dir[64];

static char *in_dir(const char *name)
{
	return mem_printf("%s/%s", dir, name);
}

static char *read_all(const char *path)
{
	struct buf text = { 0 };
	FILE *file = fopen(path, "re");
	char bytes[4096];
	size_t n;

	while (file != NULL && (n = fread(bytes, 1, sizeof(bytes), file)) > 0)
		buf_add(&text, bytes, n);
	if (file != NULL)
		(void)fclose(file);
	return text.data != NULL ? buf_steal(&text) : mem_strdup("");
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
		n++;
	return n;
}

/* All counts behind `part`, added up: a machine that stalls for a second splits one. */
static unsigned long sum(const char *text, const char *part)
{
	unsigned long n = 0;

	for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
		n += strtoul(at + strlen(part), NULL, 10);
	return n;
}

/* Until the file holds `part`; ends the test after LONG_MS. The text, the caller's. */
static char *wait_for(const char *path, const char *part)
{
	for (int i = 0; i < LONG_MS; i++) {
		char *text = read_all(path);

		if (strstr(text, part) != NULL)
			return text;
		free(text);
		usleep(1000);
	}
	fail_msg("%s never held \"%s\"", path, part);
	return NULL;
}

static void test_identical_lines_are_one_and_a_count(void **state)
{
	char *path = in_dir("repeats");
	char *text;

	(void)state;
	assert_int_equal(0, log_start(path, LOG_LEVEL_INFO, LOG_FORMAT_TEXT));
	for (int i = 0; i < 1000; i++)
		log_info("the same");
	log_warning("the same"); /* another level is another line */
	log_warning("the same");
	log_info("another");
	assert_true(log_stop(LONG_MS));
	text = read_all(path);
	assert_int_equal(2, count(text, "the same"));
	assert_int_equal(999, sum(text, "info    last line repeated "));
	assert_int_equal(1, sum(text, "warning last line repeated "));
	assert_true(strstr(text, "warning last line repeated") < strstr(text, "another"));
	free(text);
	free(path);
}

static void test_the_count_comes_by_itself_and_at_the_end(void **state)
{
	char *path = in_dir("repeats-json");
	char *text;

	(void)state;
	assert_int_equal(0, log_start(path, LOG_LEVEL_INFO, LOG_FORMAT_JSON));
	for (int i = 0; i < 3; i++)
		log_info("same");
	free(wait_for(path, "\"message\":\"last line repeated "));
	log_info("same"); /* still the same line: a new count, said at the end */
	assert_true(log_stop(LONG_MS));
	text = read_all(path);
	assert_int_equal(1, count(text, "\"message\":\"same\""));
	assert_int_equal(3, sum(text, " times\",\"repeated\":"));
	free(text);
	free(path);
}

static void test_lines_with_other_fields_are_no_repeats(void **state)
{
	const struct log_about one = { .node = "one" };
	const struct log_about two = { .node = "two" };
	char *path = in_dir("fields");
	char *text;

	(void)state;
	assert_int_equal(0, log_start(path, LOG_LEVEL_INFO, LOG_FORMAT_TEXT));
	log_line(LOG_LEVEL_INFO, &one, "down");
	log_line(LOG_LEVEL_INFO, &two, "down");
	log_line(LOG_LEVEL_INFO, &one, "down");
	assert_true(log_stop(LONG_MS));
	text = read_all(path);
	assert_int_equal(3, count(text, "down node="));
	assert_int_equal(0, count(text, "repeated"));
	free(text);
	free(path);
}

static void put(struct log_sink *sink, const char *message)
{
	struct log_text line = log_text_new(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, NULL, message);

	log_sink_write(sink, LOG_FORMAT_TEXT, &line);
	free(line.text);
}

/* A descriptor that takes so many bytes and then fails as a full disk does. */
static void test_a_full_disk_is_counted_and_told_when_there_is_room(void **state)
{
	char *path = in_dir("full");
	struct log_sink sink;
	char *text;
	int good;

	(void)state;
	assert_int_equal(0, log_sink_open(&sink, path));
	put(&sink, "before");
	good = sink.fd;
	sink.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	put(&sink, "lost 1");
	assert_int_equal(ENOSPC, sink.error);
	put(&sink, "lost 2"); /* not even tried within a second */
	assert_int_equal(2, sink.lost);
	close(sink.fd);
	sink.fd = good;
	put(&sink, "lost 3");
	sink.retry_ms = 0; /* the second is over */
	put(&sink, "after");
	text = read_all(path);
	assert_int_equal(0, count(text, "lost 1"));
	assert_int_equal(1, count(text, "3 log lines were lost: No space left on device\n"));
	assert_true(strstr(text, "3 log lines") < strstr(text, "after"));
	put(&sink, "then");
	assert_int_equal(0, sink.lost);
	assert_int_equal(3, sink.lost_ever);
	free(text);
	log_sink_close(&sink);
	free(path);
}

static void test_half_a_line_is_ended_before_the_next(void **state)
{
	char *path = in_dir("torn");
	struct log_sink sink;
	char *text;

	(void)state;
	assert_int_equal(0, log_sink_open(&sink, path));
	assert_int_equal(4, write(sink.fd, "half", 4));
	sink.torn = true; /* as a write that a full disk cut short leaves it */
	sink.error = ENOSPC;
	sink.lost = 1;
	put(&sink, "whole");
	text = read_all(path);
	assert_int_equal(0, strncmp(text, "half\n", 5));
	assert_int_equal(1, count(text, "1 log lines were lost"));
	free(text);
	log_sink_close(&sink);
	free(path);
}

/* A line waits in the queue while a reload changes log_format. */
static void test_the_journal_gets_each_line_as_it_was_made(void **state)
{
	struct log_text json = log_text_new(LOG_LEVEL_INFO, LOG_FORMAT_JSON, NULL, "made as JSON");
	struct log_text plain = log_text_new(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, NULL, "made as text");
	char *path = in_dir("journal");
	struct log_sink sink;
	char *text;

	(void)state;
	assert_int_equal(0, log_sink_open(&sink, path));
	sink.journal = true;
	log_sink_write(&sink, LOG_FORMAT_TEXT, &json);
	log_sink_write(&sink, LOG_FORMAT_JSON, &plain);
	text = read_all(path);
	assert_int_equal(0, strncmp(text, "<6>{\"time\":", 11));
	assert_int_equal(1, count(text, "\"made as JSON\"}\n<6>info    made as text\n"));
	free(text);
	free(json.text);
	free(plain.text);
	log_sink_close(&sink);
	free(path);
}

static void test_reopening_follows_a_rotation(void **state)
{
	char *path = in_dir("rotated");
	char *old = in_dir("rotated.1");
	struct stat st;

	(void)state;
	assert_int_equal(0, log_start(path, LOG_LEVEL_INFO, LOG_FORMAT_TEXT));
	log_info("first");
	free(wait_for(path, "first"));
	assert_int_equal(0, rename(path, old));
	log_reopen();
	log_info("second");
	free(wait_for(path, "second"));
	assert_int_equal(0, stat(path, &st));
	assert_int_equal(0640, st.st_mode & 0777);
	assert_true(log_stop(LONG_MS));
	free(old);
	free(path);
}

static void test_moving_to_what_cannot_be_opened_stays(void **state)
{
	char *path = in_dir("stays");
	char *other = in_dir("other");

	(void)state;
	assert_int_equal(0, log_start(path, LOG_LEVEL_INFO, LOG_FORMAT_TEXT));
	log_move("/no/such/directory/log");
	free(wait_for(path, "cannot open log file /no/such/directory/log: No such file"));
	log_info("here");
	free(wait_for(path, "here"));
	log_move(other);
	log_info("there");
	free(wait_for(other, "there"));
	assert_true(log_stop(LONG_MS));
	free(other);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identical_lines_are_one_and_a_count),
		cmocka_unit_test(test_the_count_comes_by_itself_and_at_the_end),
		cmocka_unit_test(test_lines_with_other_fields_are_no_repeats),
		cmocka_unit_test(test_a_full_disk_is_counted_and_told_when_there_is_room),
		cmocka_unit_test(test_half_a_line_is_ended_before_the_next),
		cmocka_unit_test(test_the_journal_gets_each_line_as_it_was_made),
		cmocka_unit_test(test_reopening_follows_a_rotation),
		cmocka_unit_test(test_moving_to_what_cannot_be_opened_stays),
	};
	int failed;
	char *command;

	(void)umask(022);
	(void)snprintf(dir, sizeof(dir), "/tmp/plusmoin-log-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	command = mem_printf("rm -r '%s'", dir);
	if (system(command) != 0)
		failed++;
	free(command);
	return failed;
}
