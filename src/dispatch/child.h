/*
 * External commands: spawned without a shell in a process group of their own,
 * text on stdin, the last CHILD_OUTPUT_BYTES of what they print kept, TERM to the
 * group at the deadline and KILL CHILD_KILL_MS later. A command has ended when
 * its leader exits, whoever still holds its pipes. Monitor's loop.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define CHILD_OUTPUT_BYTES 4096
#define CHILD_KILL_MS 5000

struct child;

struct child_outcome {
	int error;        /* errno: it could not be started */
	int exit_code;    /* if signal is 0 */
	int signal;       /* that ended it */
	bool timed_out;
	int64_t took_ms;
	const char *output; /* stdout and stderr, the last of it; lives for the call */
};

/* Reaps children on this loop from now on (SIGCHLD); 0 or a libuv error. */
int reaper_start(uv_loop_t *loop);
void reaper_stop(void);

/*
 * Starts argv (looked up in the daemon's PATH) with `environment`. `ended` is
 * called once, never from inside this call. The input is copied.
 */
struct child *child_start(uv_loop_t *loop, char *const *argv, char *const *environment,
			  const char *input, int64_t timeout_ms,
			  void (*ended)(void *data, const struct child_outcome *outcome),
			  void *data);

/* Sends a signal to the whole group. */
void child_signal(struct child *child, int signal);
