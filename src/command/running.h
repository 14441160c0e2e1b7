/*
 * The running daemon, for verbs that speak to it: where its files are, by its own word where it answers, which spares
 * running a configuration of thousands of nodes for a few names; else by the configuration.
 *
 * The daemon's word counts only if it is the same daemon that the configuration leads to: it runs the file at that
 * path, the file has not changed since it was read, and the pid of who listens, as the kernel has it, is the one that it
 * says and the one that holds its pid file. Else all is as if nobody had answered: the configuration is run, and what
 * is wrong with it is said.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "command/files.h"

struct running {
	struct files names; /* without `foreign` and `text` when the daemon has answered */
	pid_t pid;          /* of the daemon that has answered; 0: none has, the names are the configuration's */
	uid_t uid;          /* whose it is */
};

/*
 * Asks whoever listens where the text of the configuration at `path` (absolute) has the control socket; where that
 * leads nowhere runs the configuration and says on stderr what is wrong with it. False, after a message: there is no
 * process or memory to read it. Blocking: RUNNING_ASK_MS for a daemon that hangs. Call with one thread. Ended by running_free().
 */
bool running_find(const char *path, struct running *running);
void running_free(struct running *running);

#define RUNNING_ASK_MS 1000 /* for who it is, which a daemon answers in the turn in which it is asked */
