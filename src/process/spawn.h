/*
 * One posix_spawn, the way external commands are started (contract.md, "External
 * commands"): a process group of its own, default signals, no descriptors but
 * the three given. Any thread.
 */
#pragma once

#include <sys/types.h>

/* The child's ends of its pipes; `err` may be the same as `out`. */
struct spawn_ends {
	int in;
	int out;
	int err;
};

/*
 * Starts argv, looked up in our own PATH, in the directory `cwd`. 0, or an errno
 * (ENOENT: no such program, or no such directory).
 */
int spawn_process(pid_t *pid, char *const *argv, char *const *environment, const char *cwd,
		  const struct spawn_ends *ends);
