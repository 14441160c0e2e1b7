/*
 * One exchange with a program that listens on a socket (pm.request): connect, send,
 * close our half, take all that comes back until it closes its own. Loop's thread.
 */
#pragma once

#include "base/buf.h"
#include "net/resolve.h"

#define EXCHANGE_BYTES ((size_t)16 << 20) /* the longest answer, as for the rows of a query; a longer one is an error */

struct exchange_order {
	const char *path; /* of a Unix socket; NULL: host and port */
	const char *host;
	int port;
	const char *data; /* copied */
	size_t len;
	int64_t timeout_ms; /* for all of it */
};

struct exchange;

/*
 * `done` is called once, never from inside this call: with what came back, for the
 * call only, or with an error's text. Not after exchange_cancel().
 */
struct exchange *exchange_start(uv_loop_t *loop, struct resolver *resolver,
				const struct exchange_order *order,
				void (*done)(void *data, const char *error, struct buf *answer),
				void *data);

/* NULL allowed; clears the pointer. */
void exchange_cancel(struct exchange **exchange);
