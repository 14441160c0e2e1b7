/*
 * A knock at a host: one TCP connect, which is closed as soon as it is answered. It tells whether the host
 * answers at all; a refusal is an answer, too. It has no deadline: its owner cancels it. Loop's thread.
 */
#pragma once

#include "net/resolve.h"

struct knock;

enum knock_answer {
	KNOCK_ANSWERED, /* TCP took the connect, refused it or reset it */
	KNOCK_SILENT,   /* the network or the name server says that there is no way to it, or TCP gave up */
	KNOCK_UNABLE    /* it could not be tried, because we lack descriptors, memory or ports */
};

/*
 * `host`: a name (its first address is asked) or an address; copied. `done` is called once, never from inside this
 * call, and not after knock_cancel().
 */
struct knock *knock_start(uv_loop_t *loop, struct resolver *resolver, const char *host, int port,
			  void (*done)(void *data, enum knock_answer answer), void *data);

/* NULL allowed; clears the pointer. */
void knock_cancel(struct knock **knock);
