/*
 * One program started the way external commands are (contract.md, "External
 * commands"): a process group of its own, default signals, no descriptors but
 * the three given, the limit of descriptors that plusmoin itself was started with.
 *
 * It is what posix_spawn does, by clone(), for two reasons: the pid is known
 * before the exec, so that one that hangs (a program or directory on a mount that
 * does not answer) can be signalled, and whoever reaps its exit knows it however
 * early that is; and posix_spawn has no way to set limits.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

/* The child's ends of its pipes; `err` may be the same as `out`. None is 0, 1 or 2. */
struct spawn_ends {
	int in;
	int out;
	int err;
};

struct spawn_what {
	char *const *argv; /* looked up in our own PATH, from the directory `cwd` */
	char *const *environment;
	const char *cwd;
	struct spawn_ends ends;
};

/*
 * Starts the program, and returns when its exec has succeeded or failed. This may take any time, so it is
 * called in a thread that has all signals blocked, never on a loop. `pid` is set before the child runs
 * (0 until then); that child has to be reaped, also after an error. Returns 0 or an errno; `no_directory`
 * says that it is that of `cwd`.
 */
int spawn_process(const struct spawn_what *what, atomic_int *pid, bool *no_directory);
