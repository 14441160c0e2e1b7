/*
 * The sessions of `plusmoin console`: Lua that somebody types runs in the daemon, as a run like any trigger's. A
 * session belongs to a client of the control socket. It begins with the client's first request "console", its
 * variables are kept on the script host, and it ends with the client's connection. Only root and the daemon's own
 * user may open one, because what is typed there can do what the daemon can. Monitor's loop.
 */
#pragma once

#include "daemon/control.h"
#include "script/hosts.h"

struct consoles;

/*
 * All arguments outlive it. `*config` is the present configuration at any time. `used` is called with `data` before
 * code runs, from inside of consoles_take().
 */
struct consoles *consoles_new(struct hosts *hosts, struct control *control, struct config *const *config,
			      void (*used)(void *data), void *data);

/*
 * Takes the request "console" of this client. With `code` it runs that and returns NULL: the answer follows. Without
 * `code` it only begins the session, and returns the answer. A refusal is an answer, too. An answer is one JSON
 * object, a reference for the caller.
 */
struct shared_text *consoles_take(struct consoles *consoles, unsigned long client, const struct request *request);

/* Answers the request "console_stop": asks what runs in `session` to end. A reference for the caller. */
struct shared_text *consoles_stop(struct consoles *consoles, const struct request *request);

/* Code that a session runs at this moment. */
struct console_run {
	char id[32];            /* "console.7": the session's */
	int64_t since_ms;       /* steady: when it was sent to its script host */
	const char *waits_for;  /* what it waits for, in job_waits_for()'s words; NULL: nothing */
	int64_t waits_since_ms; /* steady: since when it waits */
};

/* Calls `look` for each run of code, the oldest session first. */
void consoles_each(const struct consoles *consoles, void (*look)(void *data, const struct console_run *run), void *data);

/* Asks the run of that id to end; false: there is none. */
bool consoles_kill(struct consoles *consoles, const char *id);

/* The client has disconnected: ends what its session runs, and drops its variables. */
void consoles_forget(struct consoles *consoles, unsigned long client);

/* Frees the sessions; code that still runs is not answered. NULL allowed, clears the pointer. */
void consoles_free(struct consoles **consoles);
