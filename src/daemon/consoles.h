/*
 * The sessions of `plusmoin console`: Lua that somebody types runs in the daemon, as a run like any trigger's. A
 * session is a client of the control socket: it begins with the client's first request for it, its variables live on
 * the script host, and with the client all of it goes. Only root and the daemon's own user may: what is typed can do
 * what the daemon can. Monitor's loop.
 */
#pragma once

#include "daemon/control.h"
#include "script/hosts.h"

struct consoles;

/*
 * All arguments outlive it. `config`: where the present configuration is. `used` is called with `data` before code
 * runs, from inside of consoles_take().
 */
struct consoles *consoles_new(struct hosts *hosts, struct control *control, struct config *const *config,
			      void (*used)(void *data), void *data);

/*
 * Takes the request "console" of this client: its `code` runs, and the answer follows (NULL); without `code` the
 * session only begins, which is the answer. A refusal is an answer, too: one JSON object, a reference for the caller.
 */
struct shared_text *consoles_take(struct consoles *consoles, unsigned long client, const struct request *request);

/* The answer to the request "console_stop": what runs in `session` is asked to end. A reference for the caller. */
struct shared_text *consoles_stop(struct consoles *consoles, const struct request *request);

/* Code of a session that has not ended. */
struct console_run {
	char id[32];            /* "console.7": of the session */
	int64_t since_ms;       /* steady: it was sent to its script host then */
	const char *waits_for;  /* as job_waits_for() says */
	int64_t waits_since_ms; /* steady */
};

/* Calls `look` for each of them, the oldest session first. */
void consoles_each(const struct consoles *consoles, void (*look)(void *data, const struct console_run *run), void *data);

/* Asks the run of that id to end; false: there is none. */
bool consoles_kill(struct consoles *consoles, const char *id);

/* That client has gone: what it runs is ended, its variables go. */
void consoles_forget(struct consoles *consoles, unsigned long client);

/* What runs on is told to nobody. NULL allowed, clears the pointer. */
void consoles_free(struct consoles **consoles);
