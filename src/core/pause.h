/*
 * How long a server that refuses us is left alone (contract, `retry_interval`): each refusal is a line in its
 * log. After words that it has said for the first time it is asked again after `retry_interval`; one that
 * says the same again and again after a tenth of the time for which it has said so, PAUSE_MOST_MS at
 * most, or PAUSE_COMING_MS while it says that it is starting or stopping. So it is found at once after a short
 * refusal, and soon, by the measure of the refusal, after a long one. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/names.h"

#define PAUSE_MOST_MS 60000
#define PAUSE_COMING_MS 5000

/* Zero-initialised: the server has refused nothing. */
struct pause {
	uint64_t words;   /* a hash of the last ones; 0: none */
	int64_t since_ms; /* steady: when it said them first, with no others in between, */
	int64_t last_ms;  /* and last */
	int64_t most_ms;
};

/*
 * The server says at `now_ms` (steady) why it refuses us. They are the same words as before where the reason
 * is the same and the text is, but for words with a digit in them: ports, times, process ids, places in the WAL.
 */
void pause_hear(struct pause *pause, enum reason reason, const char *message, int64_t now_ms);

/* It has answered, or fails without a word: what it says next is new. */
void pause_forget(struct pause *pause);

/* Whether it has said words since that. */
bool pause_is_set(const struct pause *pause);

/* From the last words to the next question, in ms; `least_ms`: retry_interval, also where it is more than the most. */
int64_t pause_length(const struct pause *pause, int64_t least_ms);

/*
 * Whether what was refused may be tried, by who comes by every `least_ms` for another question: at the
 * turn that is the nearest to the end of the pause.
 */
bool pause_is_over(const struct pause *pause, int64_t least_ms, int64_t now_ms);
