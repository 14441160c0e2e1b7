#include "pg/file_words.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/*
 * How libpq (10 to 18) begins to say that a file of ours, or this machine's TLS, is not fit for a handshake; the
 * file's name follows in quotes where the row ends with one. libpq has sent nothing but its request for TLS by then.
 * `is_libpqs`: the words that follow are libpq's own or an errno's; else they are OpenSSL's.
 */
static const struct row {
	const char *words;
	bool is_libpqs;
} rows[] = {
	{ "could not read root certificate file \"", false }, /* it holds no certificate, or cannot be read */
	{ "root certificate file \"", true }, /* "... does not exist" */
	{ "could not get home directory to locate root certificate file", true },
	{ "could not load system root certificate paths", false },
	{ "could not open certificate file \"", true },
	{ "could not read certificate file \"", false },
	{ "certificate present, but not private key file \"", true },
	{ "could not stat private key file \"", true },
	{ "could not load private key file \"", false }, /* also one that is another certificate's */
	{ "certificate does not match private key file \"", false },
	{ "private key file \"", true }, /* "... is not a regular file", "... has group or world access" */
	{ "could not load SSL engine \"", false },
	{ "could not initialize SSL engine \"", false },
	{ "could not read private SSL key \"", false },
	{ "could not load private SSL key \"", false },
	{ "could not create SSL context", false },
	{ "could not establish SSL connection", false },
	{ "could not set minimum SSL protocol version", false },
	{ "could not set maximum SSL protocol version", false },
	{ "could not set SSL Server Name Indication", false },
	{ "SSL error: no protocols available", true }, /* what openssl.cnf allows, and what `connection` asks for */
};

/*
 * What OpenSSL says of such files. Nothing else is shown: for a file that cannot be read OpenSSL 3.0 has no words, and
 * libpq 15 prints whatever lies in its memory in their place.
 */
static const char *const openssl_words[] = {
	"no certificate or crl found", "no start line", "unsupported", "key values mismatch", "key type mismatch",
	"bad base64 decode", "bad end line", "wrong tag", "not enough data", "too long", "bad password read",
	"bad decrypt", "no SSL error reported", "ee key too small", "ca key too small", "ca md too weak",
	"unknown certificate type", "no protocols available",
};

const char *file_words_find(const char *message)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *at = strstr(message, rows[i].words);

		if (at != NULL)
			return at;
	}
	return NULL;
}

/* Whether what follows the row's words is libpq's own, and may be shown. */
static bool is_libpqs(const char *line)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (strncmp(line, rows[i].words, strlen(rows[i].words)) == 0)
			return rows[i].is_libpqs;
	}
	return false;
}

static bool is_openssls(const char *words)
{
	for (size_t i = 0; i < COUNT(openssl_words); i++) {
		if (strcmp(words, openssl_words[i]) == 0)
			return true;
	}
	return false;
}

void file_words_copy(const char *at, char *out, size_t size)
{
	size_t len = strcspn(at, "\n");
	const char *name_end;
	char *tail;

	text_copy(out, len < size ? len + 1 : size, at);
	name_end = strrchr(out, '"');
	tail = strstr(name_end != NULL ? name_end : out, ": ");
	if (tail != NULL && !is_libpqs(out) && !is_openssls(tail + 2))
		*tail = '\0';
}
