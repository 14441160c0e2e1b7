/*
 * How long a server that refuses us is left alone (contract, `retry_interval`), because each refusal is a line in
 * its log. After a message that is new the server is asked again after `retry_interval`. While it repeats that
 * message, it is asked after a tenth of the time for which it has done so: after PAUSE_MOST_MS at most, or
 * PAUSE_COMING_MS while it says that it is starting or stopping. So a server that was refusing for a short time is
 * found at once, and one that was refusing for long a little later. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/names.h"

#define PAUSE_MOST_MS 60000
#define PAUSE_COMING_MS 5000

/* Zero-initialised: the server has refused nothing. */
struct pause {
	uint64_t words;   /* a hash of the last message; 0: none */
	int64_t since_ms; /* steady, when that message was first said without another one in between */
	int64_t last_ms;  /* steady, when that message was last said */
	int64_t most_ms;  /* the longest pause for it */
};

/*
 * Notes that the server says at `now_ms` (steady) why it refuses us. The message counts as the same as before if the
 * reason and the text are the same, but for words with a digit in them: ports, times, process ids, places in the WAL.
 */
void pause_hear(struct pause *pause, enum reason reason, const char *message, int64_t now_ms);

/* Notes that the server answered, or failed without a message: its next message is a new one. */
void pause_forget(struct pause *pause);

/* Whether the server has refused us since pause_forget(). */
bool pause_is_set(const struct pause *pause);

/* Returns the time from the last message to the next question, in ms: at least `least_ms`, the retry_interval. */
int64_t pause_length(const struct pause *pause, int64_t least_ms);

/*
 * Whether a question that was refused may be asked again. The caller asks another question every `least_ms`, and joins
 * this one to the turn that is nearest to the end of the pause.
 */
bool pause_is_over(const struct pause *pause, int64_t least_ms, int64_t now_ms);
