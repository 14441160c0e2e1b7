/* Who asks, by name: by the system's look-up in a thread, or by its number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "daemon/asker.h"

#define NOBODY ((uid_t)4294960000)

static uv_loop_t loop;
static struct buf found;

static void on_found(void *data, const char *name)
{
	buf_addf(&found, "%s %s;", (const char *)data, name);
}

static int open_loop(void **state)
{
	(void)state;
	return uv_loop_init(&loop);
}

static int close_loop(void **state)
{
	(void)state;
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	buf_free(&found);
	return uv_loop_close(&loop);
}

static void test_names_and_numbers(void **state)
{
	struct asker *asker = asker_new(&loop);

	(void)state;
	asker_find(asker, 0, on_found, (void *)"a");
	asker_find(asker, 0, on_found, (void *)"b");
	asker_find(asker, NOBODY, on_found, (void *)"c");
	asker_find(asker, 0, on_found, (void *)"d");
	assert_int_equal(found.len, 0); /* not from inside */
	while (strstr(buf_text(&found), "d ") == NULL)
		uv_run(&loop, UV_RUN_ONCE);
	assert_string_equal(buf_text(&found), "a root;b root;c 4294960000;d root;");
	asker_free(&asker);
}

static void test_whoever_waits_at_the_end_is_not_told(void **state)
{
	struct asker *asker = asker_new(&loop);

	(void)state;
	asker_find(asker, 0, on_found, (void *)"a");
	asker_find(asker, NOBODY, on_found, (void *)"b");
	asker_free(&asker);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(found.len, 0);
	asker_free(&asker); /* NULL */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names_and_numbers, open_loop, close_loop),
		cmocka_unit_test_setup_teardown(test_whoever_waits_at_the_end_is_not_told, open_loop, close_loop),
	};

	return cmocka_run_group_tests_name("asker", tests, NULL, NULL);
}
