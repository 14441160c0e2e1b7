/*
 * Processes of ours, from the thread that starts each to the exit that is reaped.
 *
 * Each is started in a thread of its own: that returns after the child's exec, and an exec
 * on a mount that hangs does not return. They belong to a port, one for each loop that starts
 * some; one reaper, on the monitor's loop, collects all exits (SIGCHLD) and hands each
 * to its port. Pids that it does not know are orphans that we inherited as PID 1 of a
 * container. The lock that all share covers bookkeeping alone.
 *
 * A process that is let go is KILLed. If its exec hangs nonetheless, its thread is left behind,
 * and frees what it uses when the exec returns. While PROCESSES_LEFT_BEHIND threads are left
 * behind, no process is started.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "process/spawn.h"

#define PROCESSES_LEFT_BEHIND 64

struct process;
struct process_port;

struct process_end {
	int error;         /* errno of a start that failed; 0: it was started */
	char *why;         /* the error in words (program.h); lives for the call of `ended`. NULL with no_directory */
	bool no_directory; /* the error is that of its directory */
	int status;        /* of a process that was started, as waitpid() has it */
};

/* Begins to reap on this loop; called in its thread. Returns 0 or a libuv error. */
int reaper_start(uv_loop_t *loop);
void reaper_stop(void);

/*
 * KILLs the groups of all processes that are left (a script host that hangs may have left some), and
 * waits up to `ms` for threads that start one. Returns false when some did not return; then the process
 * must end by _exit(). Called last, when no loop runs any more.
 */
bool reaper_end(int ms);

/* `ended` is called on the port's loop, once for each process, which is freed after that. */
struct process_port *process_port_new(uv_loop_t *loop,
				      void (*ended)(void *owner, const struct process_end *end));

/* Lets all its processes go. Clears the pointer; may be called from inside `ended`. */
void process_port_free(struct process_port **port);

/*
 * Starts a process. Copies what it is given but for the ends of the pipes, which it takes over, also
 * when it fails. NULL: *error is an errno. `ended` is called later, never from inside this call. This
 * and the next four are called in the thread of the port's loop.
 */
struct process *process_start(struct process_port *port, const struct spawn_what *what,
			      void *owner, int *error);

/* Its pid, which is its group's number, too; 0: there is none yet. */
int process_pid(const struct process *process);

/* Whether its exec has not returned yet. */
bool process_is_starting(const struct process *process);

/* Signals its group, or the process alone while its exec has not returned. */
void process_signal(struct process *process, int signal);

/* KILLs it; `ended` is not called any more. Clears the pointer. */
void process_let_go(struct process **process);
