/*
 * The log. Lines go through a queue (log_queue.h, bounded in lines and bytes) to a
 * thread that alone opens, writes and reopens the file or stdout, so that a full pipe
 * or a slow disk never stops a caller. When the queue is full, lines are dropped, errors
 * last; as soon as there is room, a line says how many. Of identical lines one after another
 * the first is written and, a second later or before the next other line, their count.
 * A full disk is no error of ours: see base/log_sink.h. Before log_start() and after
 * log_stop() lines go to stderr. Any thread may log.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_USER_BYTES ((size_t)8 << 10)  /* a user's own line is cut to this, and says how long it was */
#define LOG_LINE_BYTES ((size_t)64 << 10) /* any other line is cut to this, and says how long it was */

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* Where a line belongs; unset members (NULL, has_cluster false) are left out. */
struct log_about {
	const char *event;
	const char *event_id;
	const char *node;
	const char *rule;
	const char *reason;
	const char *trigger;
	bool has_cluster;
	int cluster_id;
	bool spare; /* it is a user's own line, cut at LOG_USER_BYTES; such lines may fill only half of the queue */
	size_t bytes; /* length of the text before the caller cut it; 0: the caller did not cut it */
};

/*
 * Starts the log thread. `path` NULL means stdout. Returns 0, or an errno when the file
 * cannot be opened (nothing is started then). Called once, after the last fork.
 */
int log_start(const char *path, enum log_level level, enum log_format format);

/* Sets the level and format for lines from now on (a reload). */
void log_configure(enum log_level level, enum log_format format);

/*
 * Makes the log thread close the file and open it again (after a rotation). If it cannot be
 * opened, the old one stays, and a line in it says so.
 */
void log_reopen(void);

/* As log_reopen() with another file (copied; NULL: stdout). */
void log_move(const char *path);

/*
 * Writes what is queued, for at most `ms` milliseconds, and ends the thread. A
 * thread that hangs in a write is left behind: the caller then ends the process
 * by _exit(). True when all was written.
 */
bool log_stop(int64_t ms);

/* Returns how many lines were dropped, or could not be written, since log_start(). */
unsigned long log_lost(void);

/* Whether a line of this level would be written: test before costly formatting. */
bool log_enabled(enum log_level level);

/* Logs one line; `about` may be NULL. The text is escaped, so that it stays one line, and is cut if it is too long. */
void log_line(enum log_level level, const struct log_about *about, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, NULL, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, NULL, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, NULL, __VA_ARGS__)
#define log_debug(...)                                              \
	do {                                                        \
		if (log_enabled(LOG_LEVEL_DEBUG))                   \
			log_line(LOG_LEVEL_DEBUG, NULL, __VA_ARGS__); \
	} while (0)

/* Sets the level that `name` stands for; false if there is none. */
bool log_level_parse(const char *name, enum log_level *level);
