/* How a log line looks: text for people, or one JSON object. Pure but for the clock. */
#pragma once

#include <stddef.h>

#include "base/log.h"

#define LOG_TIME_BYTES 29 /* 2026-11-23T17:09:32.187+00:00 */

struct log_text {
	char *text;  /* with its newline; the caller frees it */
	size_t body; /* index of what follows the time, which is the same in identical lines */
	enum log_level level;
	enum log_format format; /* in which it was made; the log's own may be another when it is written */
};

struct log_text log_text_new(enum log_level level, enum log_format format,
			     const struct log_about *about, const char *message);

/* Makes the line "last line repeated N times" (JSON: also "repeated": N), with the present time. */
struct log_text log_text_repeated(enum log_level level, enum log_format format,
				  unsigned long times);
