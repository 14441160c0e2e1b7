/*
 * Where log lines end: a file, stdout, the journal behind stdout. The log thread's
 * alone. Nothing that a disk does is fatal: lines that cannot be written are
 * counted, it is tried again at most once a second, and then said how many were lost.
 */
#pragma once

#include "base/log_text.h"

struct log_sink {
	char *path; /* NULL: stdout */
	int fd;
	bool journal; /* stdout is the journal: it has a clock and wants priorities */
	int error;    /* of the last write; 0: it went well */
	bool torn;    /* that write left half a line */
	int64_t retry_ms; /* steady; not tried before */
	unsigned long lost; /* lines that were not written and are not told yet, */
	unsigned long lost_ever; /* and all */
};

/* 0 or an errno. `path` is copied; NULL: stdout. */
int log_sink_open(struct log_sink *sink, const char *path);
void log_sink_write(struct log_sink *sink, enum log_format format, const struct log_text *line);

/* Opens the file of this name (NULL: stdout) in place of the present one; 0, or an errno: it stays. */
int log_sink_move(struct log_sink *sink, const char *path);
void log_sink_close(struct log_sink *sink);
