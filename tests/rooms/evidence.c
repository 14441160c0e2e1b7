/* From libpq's words to one line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/secret.h"
#include "pg/evidence.h"

static void becomes(const char *message, const char *wanted)
{
	char *words = evidence_words(message);

	assert_string_equal(words, wanted);
	free(words);
}

static void test_words_are_one_line(void **state)
{
	(void)state;
	becomes("", "");
	becomes("\n", "");
	becomes("one line\n", "one line");
	becomes("server closed the connection unexpectedly\n"
		"\tThis probably means the server terminated abnormally\n"
		"\tbefore or while processing the request.\n",
		"server closed the connection unexpectedly; This probably means the server terminated abnormally"
		" before or while processing the request.");
	becomes("connection to server at \"::1\", port 1 failed: Connection refused\n"
		"\tIs the server running on that host and accepting TCP/IP connections?\n",
		"connection to server at \"::1\", port 1 failed: Connection refused");
	becomes("SSL error: no\nconnection to server failed: FATAL:  28000: no entry\nLOCATION:  f, auth.c:1\n",
		"SSL error: no; connection to server failed: FATAL:  28000: no entry");
}

static void test_passwords_are_blanked(void **state)
{
	char *passwords[] = { (char *)"carrot\n\tcake" };
	struct secrets *secrets = secrets_new(passwords, 1);

	(void)state;
	becomes("no such user carrot\n\tcake\n", "no such user ***");
	secrets_unref(&secrets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_are_one_line),
		cmocka_unit_test(test_passwords_are_blanked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
