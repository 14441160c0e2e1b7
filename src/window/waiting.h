/* Requests that wait for the monitor's answer: suspended connections. Window thread. */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "window/pace.h"

#define WAITING_MOST 16
#define WAITING_MS 2000
#define WAITING_A_SECOND 100 /* the monitor's thread is there to watch: more in a second are not asked */

struct waiting_one {
	unsigned long number; /* of what was asked; 0: the place is free */
	struct MHD_Connection *connection;
	char **text; /* where the answer is put; NULL there: none came in time */
	bool *answered;
	int64_t since_ms;
};

struct waiting {
	struct waiting_one places[WAITING_MOST];
	unsigned long last;
	struct pace pace;
};

/*
 * Suspends the connection; the number of what is asked, or 0: too many wait, or too much is asked. `text` and `answered`
 * live as long as the request.
 */
unsigned long waiting_begin(struct waiting *waiting, struct MHD_Connection *connection, char **text, bool *answered);

/* The answer of that number, which is taken over: the connection goes on. */
void waiting_answer(struct waiting *waiting, unsigned long number, char *text);

/* Whoever has waited too long goes on without an answer; with `all` everybody does. */
void waiting_sweep(struct waiting *waiting, bool all);

/* A request that ends waits no more. */
void waiting_forget(struct waiting *waiting, const struct MHD_Connection *connection);
