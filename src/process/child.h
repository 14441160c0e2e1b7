/*
 * Child processes: spawned without a shell in a process group of their own,
 * bytes on stdin, what they print kept up to a bound, TERM to the group at the
 * deadline and KILL CHILD_KILL_MS later. A child has ended when its leader
 * exits, whoever still holds its pipes, or some time after KILL when its exec has
 * not even returned (process.h).
 *
 * Children belong to a port, one for each loop that starts some: its functions
 * and callbacks run on that loop's thread.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define CHILD_TAIL_BYTES 4096 /* contract.md: "the last 4 KiB of output" */
#define CHILD_KILL_MS 5000

struct child;
struct child_port;

struct child_options {
	char *const *argv;
	char *const *environment;
	const char *cwd; /* NULL: "/" */
	const char *input;
	size_t input_len;
	int64_t timeout_ms;
	/*
	 * 0: stdout and stderr together, the last CHILD_TAIL_BYTES of them are kept;
	 * else each apart, and the first so many bytes of each.
	 */
	size_t keep_bytes;
};

struct child_outcome {
	int error;     /* errno: it could not be started */
	const char *why; /* then in words; live for the call */
	bool no_directory; /* the error is that of `cwd` */
	int exit_code; /* if signal is 0 */
	int signal;    /* that ended it */
	bool timed_out;
	bool truncated; /* more was printed than is kept */
	int64_t took_ms;
	/* live for the call; terminated */
	const char *output;
	size_t output_len;
	const char *errors; /* stderr, if kept apart */
	size_t errors_len;
};

struct child_port *child_port_new(uv_loop_t *loop);

/* KILLs and forgets its children, without a call of their `ended`. Clears the pointer. */
void child_port_free(struct child_port **port);

/* Starts one. `ended` is called once, never from inside this call. All is copied. */
struct child *child_start(struct child_port *port, const struct child_options *options,
			  void (*ended)(void *data, const struct child_outcome *outcome),
			  void *data);

/* Its pid; 0: it has none yet, or not any more. */
int child_pid(const struct child *child);

/* Sends a signal to the whole group. */
void child_signal(struct child *child, int signal);

/* Nobody waits for it any more: TERM, later KILL, and no call of `ended`. */
void child_abandon(struct child *child);
