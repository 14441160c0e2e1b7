/* Programs as they are started and end: all at once, not at all, and while whoever started them goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "process/child.h"
#include "process/process.h"

#define MANY 100
#define LONG_MS 60000

static struct {
	uv_loop_t loop;
	struct child_port *port;
	size_t ended;
	size_t sevens; /* by exit(7) */
	struct child_outcome last;
	char output[256]; /* the last one's */
} at;

static int open_stage(void **state)
{
	(void)state;
	memset(&at, 0, sizeof(at));
	uv_loop_init(&at.loop);
	assert_int_equal(reaper_start(&at.loop), 0);
	at.port = child_port_new(&at.loop);
	return 0;
}

static int close_stage(void **state)
{
	(void)state;
	child_port_free(&at.port);
	reaper_stop();
	assert_true(reaper_end(LONG_MS));
	uv_run(&at.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&at.loop), 0);
	return 0;
}

static void on_ended(void *data, const struct child_outcome *outcome)
{
	(void)data;
	at.ended++;
	at.sevens += outcome->error == 0 && outcome->signal == 0 && outcome->exit_code == 7;
	at.last = *outcome;
	(void)snprintf(at.output, sizeof(at.output), "%s", outcome->output);
}

static struct child *start(const char *program, const char *argument, const char *cwd)
{
	static char *const environment[] = { NULL };
	char *const argv[] = { (char *)program, (char *)"-c", (char *)argument, NULL };
	const struct child_options options = {
		.argv = argv,
		.environment = environment,
		.cwd = cwd,
		.timeout_ms = LONG_MS,
	};

	return child_start(at.port, &options, on_ended, NULL);
}

static void wait_for(size_t count)
{
	while (at.ended < count)
		uv_run(&at.loop, UV_RUN_ONCE);
}

static void fails(const char *program, const char *cwd, int error, bool no_directory)
{
	size_t before = at.ended;

	(void)start(program, "true", cwd);
	assert_int_equal(at.ended, before); /* not from inside */
	wait_for(before + 1);
	assert_int_equal(at.last.error, error);
	assert_int_equal(at.last.no_directory, no_directory);
}

/* Most exits are reaped before the thread that started the child says so; orphans come between. */
static void test_each_of_many_ends_as_it_ended(void **state)
{
	(void)state;
	for (int i = 0; i < MANY; i++) {
		(void)start("sh", "exit 7", NULL);
		if (i % 10 == 0 && fork() == 0)
			_exit(1); /* nobody waits for this one */
	}
	wait_for(MANY);
	assert_int_equal(at.sevens, MANY);
	(void)start("sh", "kill -9 $$", NULL);
	wait_for(MANY + 1);
	assert_int_equal(at.last.signal, SIGKILL);
}

static void test_what_cannot_start_says_why(void **state)
{
	char dir[] = "/tmp/plusmoin-rooms-XXXXXX";
	char *script;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(dir));
	script = mem_printf("%s/script", dir);
	file = fopen(script, "we");
	assert_non_null(file);
	(void)fputs("echo no shell runs this\n", file);
	(void)fclose(file);
	fails("/nonexistent/program", NULL, ENOENT, false);
	fails("plusmoin-no-such-program", NULL, ENOENT, false);
	fails("", NULL, ENOENT, false);
	fails("sh", "/nonexistent", ENOENT, true);
	fails("sh", script, ENOTDIR, true);
	fails(script, NULL, EACCES, false);
	(void)chmod(script, 0755);
	fails(script, NULL, ENOEXEC, false);
	fails("./script", dir, ENOEXEC, false); /* from its directory */
	(void)unlink(script);
	(void)rmdir(dir);
	free(script);
}

static void test_path_is_searched_to_its_end(void **state)
{
	char *before = mem_strdup(getenv("PATH"));

	(void)state;
	(void)setenv("PATH", "/nonexistent:/etc/passwd:/usr/bin:/bin", 1);
	(void)start("sh", "pwd; echo ${A-none}; ls /proc/self/fd | wc -l", NULL);
	wait_for(1);
	assert_int_equal(at.last.error, 0);
	assert_string_equal(at.output, "/\nnone\n4\n"); /* 0, 1, 2 and that of ls */
	(void)setenv("PATH", before, 1);
	free(before);
}

static void test_a_signal_that_comes_before_the_program_is_not_lost(void **state)
{
	(void)state;
	for (size_t i = 1; i <= 20; i++) {
		child_signal(start("sh", "exec sleep 60", NULL), SIGTERM);
		wait_for(i);
		assert_int_equal(at.last.signal, SIGTERM);
	}
}

static void test_a_port_goes_with_all_that_starts_and_runs(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		(void)start("sh", "exec sleep 60", NULL);
	uv_run(&at.loop, UV_RUN_NOWAIT);
	for (int i = 0; i < 10; i++)
		child_abandon(start("sh", "exec sleep 60", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_of_many_ends_as_it_ended, open_stage,
						close_stage),
		cmocka_unit_test_setup_teardown(test_what_cannot_start_says_why, open_stage, close_stage),
		cmocka_unit_test_setup_teardown(test_path_is_searched_to_its_end, open_stage, close_stage),
		cmocka_unit_test_setup_teardown(
			test_a_signal_that_comes_before_the_program_is_not_lost, open_stage, close_stage),
		cmocka_unit_test_setup_teardown(test_a_port_goes_with_all_that_starts_and_runs, open_stage,
						close_stage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
