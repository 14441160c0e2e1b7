#include "base/secret.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

/*
 * The passwords of all loads, sorted, each once. A change of the loads makes a new matcher, so that one that is in use
 * never changes. The lock guards the references.
 */
struct matcher {
	unsigned references;
	size_t count;
	size_t first[257]; /* by byte: the index of the first word that begins with it; [256]: the count */
	char **words;
};

struct secrets {
	LIST_ENTRY(secrets) in_loads;
	unsigned references;
	size_t count;
	char **words; /* sorted */
};

/* The lock is held for a few instructions, or while a load is added or removed, but never while a text is searched. */
static pthread_mutex_t secret_lock = PTHREAD_MUTEX_INITIALIZER;
LIST_HEAD(load_list, secrets);
static struct load_list loads = LIST_HEAD_INITIALIZER(loads);
static struct matcher *present; /* NULL: no passwords */

static int compare_words(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_words(char **words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(words[i]);
	free(words);
}

/* ---- matchers ---- */

/* Frees a matcher of which nobody has a reference any more. */
static void free_matcher(struct matcher *matcher)
{
	free_words(matcher->words, matcher->count);
	free(matcher);
}

static struct matcher *take_present(void)
{
	struct matcher *matcher;

	pthread_mutex_lock(&secret_lock);
	matcher = present;
	if (matcher != NULL)
		matcher->references++;
	pthread_mutex_unlock(&secret_lock);
	return matcher;
}

static void give_back(struct matcher *matcher)
{
	bool last;

	if (matcher == NULL)
		return;
	pthread_mutex_lock(&secret_lock);
	last = --matcher->references == 0;
	pthread_mutex_unlock(&secret_lock);
	if (last)
		free_matcher(matcher);
}

static void index_words(struct matcher *matcher)
{
	size_t at = 0;

	for (int byte = 0; byte < 256; byte++) {
		matcher->first[byte] = at;
		while (at < matcher->count && (unsigned char)matcher->words[at][0] == byte)
			at++;
	}
	matcher->first[256] = at;
}

/* Returns copies of the words of all loads, sorted, each once. With the lock held. */
static char **copy_all(size_t *count)
{
	const struct secrets *load;
	char **words;
	size_t total = 0;
	size_t kept = 0;

	for (load = LIST_FIRST(&loads); load != NULL; load = LIST_NEXT(load, in_loads))
		total += load->count;
	words = mem_zalloc(total + 1, sizeof(*words));
	total = 0;
	for (load = LIST_FIRST(&loads); load != NULL; load = LIST_NEXT(load, in_loads)) {
		for (size_t i = 0; i < load->count; i++)
			words[total++] = load->words[i];
	}
	qsort(words, total, sizeof(*words), compare_words);
	for (size_t i = 0; i < total; i++) {
		if (kept == 0 || strcmp(words[kept - 1], words[i]) != 0)
			words[kept++] = mem_strdup(words[i]);
	}
	*count = kept;
	return words;
}

/*
 * Makes a new matcher, after a load was added or removed. With the lock held. Returns the old one, which the caller
 * frees, if nobody uses it any more; else NULL.
 */
static struct matcher *renew(void)
{
	struct matcher *old = present;
	struct matcher *next = mem_zalloc(1, sizeof(*next));

	next->references = 1;
	next->words = copy_all(&next->count);
	index_words(next);
	present = next;
	if (next->count == 0) {
		present = NULL;
		free_matcher(next);
	}
	return old != NULL && --old->references == 0 ? old : NULL;
}

/* ---- loads ---- */

struct secrets *secrets_new(char *const *passwords, size_t count)
{
	struct secrets *secrets = mem_zalloc(1, sizeof(*secrets));
	struct matcher *old;

	secrets->references = 1;
	secrets->words = mem_zalloc(count + 1, sizeof(*secrets->words));
	for (size_t i = 0; i < count; i++) {
		if (passwords[i][0] != '\0')
			secrets->words[secrets->count++] = mem_strdup(passwords[i]);
	}
	qsort(secrets->words, secrets->count, sizeof(*secrets->words), compare_words);
	pthread_mutex_lock(&secret_lock);
	LIST_INSERT_HEAD(&loads, secrets, in_loads);
	old = renew();
	pthread_mutex_unlock(&secret_lock);
	if (old != NULL)
		free_matcher(old);
	return secrets;
}

struct secrets *secrets_ref(struct secrets *secrets)
{
	pthread_mutex_lock(&secret_lock);
	secrets->references++;
	pthread_mutex_unlock(&secret_lock);
	return secrets;
}

void secrets_unref(struct secrets **secrets_p)
{
	struct secrets *secrets = *secrets_p;
	struct matcher *old = NULL;
	bool last;

	*secrets_p = NULL;
	if (secrets == NULL)
		return;
	pthread_mutex_lock(&secret_lock);
	last = --secrets->references == 0;
	if (last) {
		LIST_REMOVE(secrets, in_loads);
		old = renew();
	}
	pthread_mutex_unlock(&secret_lock);
	if (old != NULL)
		free_matcher(old);
	if (!last)
		return;
	free_words(secrets->words, secrets->count);
	free(secrets);
}

/* ---- texts ---- */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* Whether the `len` bytes at `at` in `text` are a whole word, which goes on at neither end. */
static bool stands_alone(const char *text, const char *at, size_t len)
{
	if (at > text && is_word(at[-1]) && is_word(at[0]))
		return false;
	return !(at[len] != '\0' && is_word(at[len]) && is_word(at[len - 1]));
}

/* Returns the first of words [low, high), which begin with the same `depth` bytes, whose next byte is >= `least`. */
static size_t bisect(const struct matcher *matcher, size_t low, size_t high, size_t depth, int least)
{
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if ((unsigned char)matcher->words[middle][depth] < least)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Returns the length of the longest password that stands at `at`; 0: none does. */
static size_t secret_at(const struct matcher *matcher, const char *text, const char *at)
{
	size_t low = matcher->first[(unsigned char)at[0]];
	size_t high = matcher->first[(unsigned char)at[0] + 1];
	size_t longest = 0;

	for (size_t depth = 1; low < high; depth++) {
		int next = (unsigned char)at[depth];

		if (matcher->words[low][depth] == '\0') { /* this word ends here; no other does, as each is there once */
			if (stands_alone(text, at, depth))
				longest = depth;
			low++;
		}
		if (next == '\0')
			break;
		low = bisect(matcher, low, high, depth, next);
		high = bisect(matcher, low, high, depth, next + 1);
	}
	return longest;
}

char *secret_scrub(const char *text, size_t bytes)
{
	struct matcher *matcher = take_present();
	size_t len = text_cut(text, bytes);
	struct buf out = { 0 };

	if (matcher == NULL)
		return mem_strndup(text, len);
	for (const char *at = text; at < text + len;) {
		size_t found = secret_at(matcher, text, at);

		if (found > 0) {
			buf_add_str(&out, "***");
			at += found;
		} else {
			buf_add_char(&out, *at++);
		}
	}
	give_back(matcher);
	return buf_steal(&out);
}

void secret_copy(char *out, size_t size, const char *text)
{
	char *clean = secret_scrub(text != NULL ? text : "", size);

	text_copy(out, size, clean);
	free(clean);
}

bool secret_is(const char *value)
{
	struct matcher *matcher = take_present();
	bool found = matcher != NULL && bsearch(&value, matcher->words, matcher->count,
						sizeof(*matcher->words), compare_words) != NULL;

	give_back(matcher);
	return found;
}
