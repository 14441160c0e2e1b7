/* The control socket from the other side: one request, one answer. Blocking. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "system/peer.h"

#define ASK_MS 5000 /* for what the daemon answers at once */

enum ask_outcome {
	ASK_ANSWERED, /* one line, in `answer` */
	ASK_NOBODY,   /* nobody listens there */
	ASK_REFUSED,  /* somebody may, but not for us: errno */
	ASK_SILENT,   /* no whole answer within the time, or the daemon ended */
};

/* A connection to whoever listens at the path; -1: errno. The caller's. */
int ask_connect(const char *path);

/* Sends the line `request` to the socket at `path` and waits up to `ms` for the answer. `peer` (NULL: nobody wants to know): who listens. */
enum ask_outcome ask_whom(const char *path, const char *request, int64_t ms, struct buf *answer, struct peer *peer);

/* The same of whoever it is. */
enum ask_outcome ask(const char *path, const char *request, int64_t ms, struct buf *answer);
