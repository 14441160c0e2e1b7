/* Requests that wait for the monitor's answer. Their connections are suspended. Window thread. */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "window/pace.h"

#define WAITING_MOST 16
#define WAITING_MS 2000
#define WAITING_A_SECOND 100 /* more are refused, because they would keep the monitor's thread from its work */

struct waiting_one {
	unsigned long number; /* of the asking; 0: the place is free */
	struct MHD_Connection *connection;
	char **text; /* the answer is put there; NULL there: none came in time */
	bool *answered;
	int64_t since_ms;
};

struct waiting {
	struct waiting_one places[WAITING_MOST];
	unsigned long last;
	struct pace pace;
};

/*
 * Suspends the connection. Returns a number for the asking, or 0 when too many wait, or too many were asked in this
 * second. `text` and `answered` must live as long as the request.
 */
unsigned long waiting_begin(struct waiting *waiting, struct MHD_Connection *connection, char **text, bool *answered);

/* Resumes the connection that waits for that number, with this answer, which it owns afterwards. */
void waiting_answer(struct waiting *waiting, unsigned long number, char *text);

/* Resumes the connections that have waited too long, with `all` every connection, without an answer. */
void waiting_sweep(struct waiting *waiting, bool all);

/* Forgets a connection whose request has ended. */
void waiting_forget(struct waiting *waiting, const struct MHD_Connection *connection);
