/*
 * The sink to which log lines are written: a file, stdout, or the journal behind stdout.
 * The log thread alone uses it. An error in writing is never fatal: lines that cannot be
 * written are counted, writing is tried again once a second, and then a line says how many were lost.
 */
#pragma once

#include "base/log_text.h"

struct log_sink {
	char *path; /* NULL: stdout */
	int fd;
	bool journal; /* stdout is the journal, so lines have a priority and (in text) no time */
	int error;    /* errno of the last write; 0: it went well */
	bool torn;    /* the last write left half a line */
	int64_t retry_ms; /* steady, after an error: no write is tried before */
	unsigned long lost; /* lines that were not written and not reported yet */
	unsigned long lost_ever; /* all lines that were not written */
};

/* Opens the sink. `path` is copied; NULL: stdout. Returns 0 or an errno. */
int log_sink_open(struct log_sink *sink, const char *path);
void log_sink_write(struct log_sink *sink, enum log_format format, const struct log_text *line);

/* Opens the file of this name (NULL: stdout) in place of the present one. Returns 0, or an errno and keeps that one. */
int log_sink_move(struct log_sink *sink, const char *path);
void log_sink_close(struct log_sink *sink);
