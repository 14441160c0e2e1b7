#include "base/secret.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

static pthread_mutex_t secret_lock = PTHREAD_MUTEX_INITIALIZER;
static char **secrets; /* sorted */
static size_t secret_count;
static size_t secret_longest; /* bytes of the longest */

static int compare_secrets(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void secret_set(char *const *passwords, size_t count)
{
	pthread_mutex_lock(&secret_lock);
	for (size_t i = 0; i < secret_count; i++)
		free(secrets[i]);
	free(secrets);
	secrets = count > 0 ? mem_zalloc(count, sizeof(*secrets)) : NULL;
	secret_count = count;
	secret_longest = 0;
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(passwords[i]);

		secrets[i] = mem_strndup(passwords[i], len);
		secret_longest = len > secret_longest ? len : secret_longest;
	}
	if (count > 0)
		qsort(secrets, count, sizeof(*secrets), compare_secrets);
	pthread_mutex_unlock(&secret_lock);
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* Whether `secret` stands at `at` in `text` with no word going on at either end. */
static bool stands_alone(const char *text, const char *at, const char *secret)
{
	size_t len = strlen(secret);

	if (at > text && is_word(at[-1]) && is_word(secret[0]))
		return false;
	return !(at[len] != '\0' && is_word(at[len]) && is_word(secret[len - 1]));
}

/* Of the secrets that do not come behind the first `len` bytes at `at`, the last; NULL: there is none. */
static const char *last_secret_to(const char *at, size_t len)
{
	size_t low = 0;
	size_t high = secret_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strncmp(secrets[middle], at, len);

		if (order < 0 || (order == 0 && strlen(secrets[middle]) <= len))
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? secrets[low - 1] : NULL;
}

static size_t shared_bytes(const char *a, const char *b, size_t most)
{
	size_t len = 0;

	while (len < most && a[len] == b[len] && a[len] != '\0')
		len++;
	return len;
}

/*
 * The length of the longest secret that stands at `at`, 0: none does. Secrets that begin
 * what is there stand before it in their order, and all between begin with them: a longer
 * one than what the last of these shares with it cannot be among them.
 */
static size_t secret_at(const char *text, const char *at)
{
	size_t len = strnlen(at, secret_longest);
	const char *secret;

	while (len > 0 && (secret = last_secret_to(at, len)) != NULL) {
		len = shared_bytes(secret, at, len);
		if (len == 0 || (secret[len] == '\0' && stands_alone(text, at, secret)))
			return len;
		if (secret[len] == '\0')
			len--;
	}
	return 0;
}

char *secret_scrub(const char *text)
{
	struct buf out = { 0 };

	pthread_mutex_lock(&secret_lock);
	for (const char *at = text; *at != '\0';) {
		size_t len = secret_at(text, at);

		if (len > 0) {
			buf_add_str(&out, "***");
			at += len;
		} else {
			buf_add_char(&out, *at++);
		}
	}
	pthread_mutex_unlock(&secret_lock);
	return buf_steal(&out);
}

bool secret_is(const char *value)
{
	bool found;

	pthread_mutex_lock(&secret_lock);
	found = secret_count > 0 && bsearch(&value, secrets, secret_count, sizeof(*secrets),
					    compare_secrets) != NULL;
	pthread_mutex_unlock(&secret_lock);
	return found;
}
