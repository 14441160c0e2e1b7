/* The control socket on the side of who asks: one request, one answer. Blocking. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "system/peer.h"

#define ASK_MS 5000 /* how long an answer is waited for that the daemon gives at once */

enum ask_outcome {
	ASK_ANSWERED, /* `answer` is one line */
	ASK_NOBODY,   /* nobody listens there */
	ASK_REFUSED,  /* somebody may listen there, but not for us: errno */
	ASK_SILENT,   /* no whole answer came within the time, or the daemon ended */
};

/* Connects to whoever listens at the path. The descriptor is the caller's; -1: errno. */
int ask_connect(const char *path);

/*
 * Sends the line `request` to the socket at `path` and waits up to `ms` for the answer. `*peer` is who listens; NULL:
 * not needed.
 */
enum ask_outcome ask_whom(const char *path, const char *request, int64_t ms, struct buf *answer, struct peer *peer);

/* Does the same, whoever listens. */
enum ask_outcome ask(const char *path, const char *request, int64_t ms, struct buf *answer);
