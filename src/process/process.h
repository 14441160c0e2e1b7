/*
 * Processes of ours, from the thread that starts each to the exit that is reaped.
 *
 * Each is started in a thread of its own: that returns after the child's exec, and an exec
 * on a mount that hangs does not return. They belong to a port, one for each loop that starts
 * some; one reaper, on the monitor's loop, collects all exits (SIGCHLD) and hands each
 * to its port. Pids that it does not know are orphans that we inherited as PID 1 of a
 * container. The lock that all share covers bookkeeping alone.
 *
 * A process that is let go is killed; while its exec hangs nonetheless, its thread is left
 * behind, and ends what there is when the exec returns. PROCESSES_LEFT_BEHIND at the most,
 * then none is started.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "process/spawn.h"

#define PROCESSES_LEFT_BEHIND 64

struct process;
struct process_port;

struct process_end {
	int error;         /* errno: it could not be started */
	char *why;         /* then in words (program.h); for the call of `ended` only. NULL: with no_directory */
	bool no_directory; /* the error is that of its directory */
	int status;        /* else as waitpid() has it */
};

/* Reaps on this loop from now on; 0 or a libuv error. Its thread is the caller's. */
int reaper_start(uv_loop_t *loop);
void reaper_stop(void);

/*
 * KILLs the groups of all processes that are left, one of a host that hangs, and waits for
 * threads that start one, `ms` at the most. False when some did not come back: the process is
 * then ended by _exit(). The last thing, without a loop.
 */
bool reaper_end(int ms);

/* `ended` is called on the port's loop, once for each process; it is gone then. */
struct process_port *process_port_new(uv_loop_t *loop,
				      void (*ended)(void *owner, const struct process_end *end));

/* Lets all its processes go. Clears the pointer; may be called from inside `ended`. */
void process_port_free(struct process_port **port);

/*
 * Starts one: copies what it is given but for the ends of the pipes, which it takes, also when
 * it fails. NULL: *error is an errno. `ended` follows, never from inside this call. This and
 * the next four on the port's loop.
 */
struct process *process_start(struct process_port *port, const struct spawn_what *what,
			      void *owner, int *error);

/* Its pid, which is its group's number, too; 0: there is none yet. */
int process_pid(const struct process *process);

/* Whether its exec has not returned yet. */
bool process_is_starting(const struct process *process);

/* Signals its group, or the process itself while that does not stand yet. */
void process_signal(struct process *process, int signal);

/* KILLs it, and `ended` is not called any more. Clears the pointer. */
void process_let_go(struct process **process);
