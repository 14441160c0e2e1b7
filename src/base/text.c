#include "base/text.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static pthread_mutex_t secret_lock = PTHREAD_MUTEX_INITIALIZER;
static char **secrets; /* sorted */
static size_t secret_count;
static size_t secret_longest; /* bytes of the longest */

static bool is_tail(unsigned char c)
{
	return (c & 0xC0U) == 0x80U;
}

/* The smallest and largest allowed second byte after `lead` (Unicode, table 3-7). */
static bool second_fits(unsigned char lead, unsigned char second)
{
	switch (lead) {
	case 0xE0:
		return second >= 0xA0 && second <= 0xBF;
	case 0xED:
		return second >= 0x80 && second <= 0x9F;
	case 0xF0:
		return second >= 0x90 && second <= 0xBF;
	case 0xF4:
		return second >= 0x80 && second <= 0x8F;
	default:
		return is_tail(second);
	}
}

size_t text_char_len(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t need;

	if (len == 0)
		return 0;
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xC2 && s[0] <= 0xDF)
		need = 2;
	else if (s[0] >= 0xE0 && s[0] <= 0xEF)
		need = 3;
	else if (s[0] >= 0xF0 && s[0] <= 0xF4)
		need = 4;
	else
		return 0;
	if (len < need || !second_fits(s[0], s[1]))
		return 0;
	for (size_t i = 2; i < need; i++) {
		if (!is_tail(s[i]))
			return 0;
	}
	return need;
}

bool text_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

void text_copy(char *out, size_t size, const char *text)
{
	size_t len;

	if (size == 0)
		return;
	if (text == NULL)
		text = "";
	len = strlen(text);
	if (len >= size) {
		size_t cut = size - 1;

		/* back to the start of the character that the cut would split, if it is one */
		for (size_t back = 1; back < 4 && back <= cut; back++) {
			if (text_char_len(text + cut - back, len - cut + back) > back) {
				cut -= back;
				break;
			}
		}
		len = cut;
	}
	if (len > 0)
		memcpy(out, text, len);
	out[len] = '\0';
}

static void add_control(struct buf *out, unsigned char c)
{
	switch (c) {
	case '\n':
		buf_add_str(out, "\\n");
		break;
	case '\t':
		buf_add_str(out, "\\t");
		break;
	case '\r':
		buf_add_str(out, "\\r");
		break;
	default:
		buf_addf(out, "\\x%02x", c);
		break;
	}
}

void text_add_escaped(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		unsigned char c = (unsigned char)text[i];
		size_t n = text_char_len(text + i, len - i);

		if (n == 0) {
			buf_add_str(out, "\xEF\xBF\xBD");
			n = 1;
		} else if (c < 0x20 || c == 0x7F) {
			add_control(out, c);
		} else if (c == 0xC2 && (unsigned char)text[i + 1] < 0xA0) {
			add_control(out, (unsigned char)text[i + 1]); /* C1 controls */
		} else {
			buf_add(out, text + i, n);
		}
		i += n;
	}
}

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
