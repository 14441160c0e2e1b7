/* From libpq's words to one line, and to whose fault it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
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

#define AT "connection to server at \"127.0.0.1\", port 5432 failed: "
#define ON "connection to server on socket \"/run/.s.PGSQL.5432\" failed: "
#define NO_TLS AT "FATAL:  28000: no pg_hba.conf entry for host \"127.0.0.1\", no encryption\nLOCATION:  f, auth.c:1\n"

static void is_ours(const char *message, const char *words)
{
	struct evidence evidence;

	evidence_of_connect(&evidence, message);
	assert_true(evidence.own_fault && evidence.file);
	assert_int_equal(evidence.reason, REASON_NONE);
	assert_string_equal(evidence.message, words);
}

static void is_theirs(const char *message, enum reason reason)
{
	struct evidence evidence;

	evidence_of_connect(&evidence, message);
	assert_false(evidence.own_fault || evidence.file);
	assert_string_equal(reason_name(evidence.reason), reason_name(reason));
}

/* libpq 15's words for each file and each damage; "does not exist" has a second line, of 16 a longer one. */
static void test_own_files(void **state)
{
	static const char *const words[] = {
		"could not read root certificate file \"/r\": no certificate or crl found",
		"could not open certificate file \"/c\": Permission denied",
		"could not open certificate file \"/c\": Too many levels of symbolic links",
		"could not read certificate file \"/c\": no start line",
		"certificate present, but not private key file \"/k\"",
		"could not stat private key file \"/k\": Permission denied",
		"could not load private key file \"/k\": unsupported",
		"could not load private key file \"/k\": key values mismatch",
		"certificate does not match private key file \"/k\": key values mismatch",
		"private key file \"/k\" is not a regular file",
		"private key file \"/k\" has group or world access; permissions should be u=rw (0600) or less",
		"could not get home directory to locate root certificate file",
		"could not load system root certificate paths",
		"could not load SSL engine \"pkcs11\"",
		"SSL error: no protocols available",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char message[1024];

		(void)snprintf(message, sizeof(message), AT "%s\n", words[i]);
		is_ours(message, words[i]);
		(void)snprintf(message, sizeof(message), AT "%s\n" NO_TLS, words[i]); /* sslmode=prefer */
		is_ours(message, words[i]);
	}
	is_ours(AT "root certificate file \"/r\" does not exist\nEither provide the file or change sslmode\n",
		"root certificate file \"/r\" does not exist");
	/* OpenSSL 3.0 on a file that may not be read: what lies in libpq's memory */
	is_ours(AT "could not read certificate file \"/c\": hunter2\n", "could not read certificate file \"/c\"");
	is_ours(AT "could not create SSL context: hunter2\n", "could not create SSL context");
	is_ours(AT "could not read certificate file \"/c\": \363\211\026U\n", "could not read certificate file \"/c\"");
	is_ours(AT "could not read certificate file \"/c\": \n", "could not read certificate file \"/c\"");
}

/* What a server says of its own, of our certificate, or before and after any file was read. */
static void test_not_own_files(void **state)
{
	(void)state;
	is_theirs(AT "SSL error: certificate verify failed\n", REASON_TLS);
	is_theirs(AT "SSL error: tlsv1 alert unknown ca\n", REASON_TLS);
	is_theirs(AT "SSL error: sslv3 alert certificate expired\n", REASON_TLS);
	is_theirs(AT "server does not support SSL, but SSL was required\n", REASON_TLS);
	/* a postmaster that has been killed, or cannot fork: no door that is shut */
	is_theirs(AT "server sent an error response during SSL exchange\n", REASON_RESET);
	is_theirs(AT "server certificate for \"a\" does not match host name \"b\"\n", REASON_TLS);
	is_theirs(AT "FATAL:  28000: connection requires a valid client certificate\n", REASON_AUTH);
	is_theirs(AT "FATAL:  XX000: could not read certificate file \"server.crt\"\n", REASON_QUERY_ERROR);
	/* sslmode=prefer: what the second attempt met counts, unless it was refused for having no TLS */
	is_theirs(AT "could not open certificate file \"/c\": Permission denied\n" AT "Connection refused\n",
		  REASON_REFUSED);
	is_theirs(AT "could not read root certificate file \"/r\": no start line\n"
		  AT "server closed the connection unexpectedly\n", REASON_RESET);
	is_theirs(AT "could not read root certificate file \"/r\": no start line\n"
		  AT "FATAL:  57P03: the database system is starting up\n", REASON_STARTING);
}

/* `ip route add prohibit`, `blackhole`; a filter. Of a Unix socket the same words are the file's. */
static void test_errno_of_this_machine(void **state)
{
	(void)state;
	is_theirs(AT "Permission denied\n\tIs the server running on that host?\n", REASON_UNREACHABLE);
	is_theirs(AT "Invalid argument\n\tIs the server running on that host?\n", REASON_UNREACHABLE);
	is_theirs(AT "Operation not permitted\n", REASON_UNREACHABLE);
	is_theirs(ON "Permission denied\n\tIs the server running locally?\n", REASON_REFUSED);
	is_theirs(ON "No such file or directory\n", REASON_REFUSED);
	is_theirs(ON "Connection refused\n", REASON_REFUSED);
}

/* Class 53 is the same of a statement as of a connect, also about the beats' table. */
static void test_full(void **state)
{
	(void)state;
	assert_int_equal(evidence_of_sqlstate("53100", true), REASON_FULL);
	assert_int_equal(evidence_of_sqlstate("53200", true), REASON_FULL);
	assert_int_equal(evidence_of_sqlstate("53200", false), REASON_FULL);
	assert_int_equal(evidence_of_sqlstate("54000", false), REASON_QUERY_ERROR);
	is_theirs(AT "FATAL:  53200: out of memory\n", REASON_FULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_are_one_line),
		cmocka_unit_test(test_passwords_are_blanked),
		cmocka_unit_test(test_own_files),
		cmocka_unit_test(test_not_own_files),
		cmocka_unit_test(test_errno_of_this_machine),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
