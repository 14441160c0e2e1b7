#include "core/pause.h"

#include <ctype.h>
#include <stddef.h>

#include "base/hash.h"

static uint64_t add(uint64_t hash, unsigned char byte)
{
	return hash64_bytes(hash, &byte, 1);
}

/* Whether the byte is part of a word: an ASCII letter or digit, or any byte that is not ASCII. */
static bool is_of_word(unsigned char byte)
{
	return byte >= 0x80 || isalnum(byte);
}

/* Returns the length of the word at `text`; sets `*varies` if it has a digit in it. */
static size_t word_length(const unsigned char *text, bool *varies)
{
	size_t len = 0;

	for (*varies = false; is_of_word(text[len]); len++)
		*varies = *varies || isdigit(text[len]);
	return len;
}

static uint64_t hash_of(enum reason reason, const char *message)
{
	const unsigned char *at = (const unsigned char *)message;
	uint64_t hash = add(HASH64_BEGIN, (unsigned char)reason);

	while (*at != '\0') {
		bool varies;
		size_t len = word_length(at, &varies);

		if (varies)
			hash = add(hash, '0');
		else
			hash = hash64_bytes(hash, at, len);
		at += len;
		if (*at != '\0')
			hash = add(hash, *at++);
	}
	return hash != 0 ? hash : 1;
}

static int64_t most_for(enum reason reason)
{
	return reason == REASON_STARTING || reason == REASON_SHUTTING_DOWN ? PAUSE_COMING_MS
									   : PAUSE_MOST_MS;
}

void pause_hear(struct pause *pause, enum reason reason, const char *message, int64_t now_ms)
{
	uint64_t words = hash_of(reason, message);

	if (pause->words != words)
		*pause = (struct pause){
			.words = words, .since_ms = now_ms, .most_ms = most_for(reason),
		};
	pause->last_ms = now_ms;
}

void pause_forget(struct pause *pause)
{
	*pause = (struct pause){ 0 };
}

bool pause_is_set(const struct pause *pause)
{
	return pause->words != 0;
}

int64_t pause_length(const struct pause *pause, int64_t least_ms)
{
	int64_t tenth_ms = (pause->last_ms - pause->since_ms) / 10;

	if (tenth_ms > pause->most_ms)
		tenth_ms = pause->most_ms;
	return tenth_ms > least_ms ? tenth_ms : least_ms;
}

bool pause_is_over(const struct pause *pause, int64_t least_ms, int64_t now_ms)
{
	return !pause_is_set(pause) ||
	       now_ms - pause->last_ms >= pause_length(pause, least_ms) - least_ms / 2;
}
