/*
 * The running daemon, for verbs that speak to it. It says itself where its files are, if it answers, which saves
 * running a configuration of thousands of nodes for a few names; otherwise the configuration says it.
 *
 * The daemon's answer counts only if the configuration leads to that daemon: it runs the file at that path, the file
 * has not changed since it was read, and the pid of who listens, as the kernel has it, is the one that it says and the
 * one that holds its pid file. Otherwise the answer is dropped, the configuration is run, and what is wrong with it is
 * printed.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "command/files.h"

struct running {
	struct files names; /* without `foreign` and `text` when the daemon has answered */
	/* the pid of the daemon that has answered; 0: none has, and the names are the configuration's */
	pid_t pid;
	uid_t uid;          /* the user of that daemon */
};

/*
 * Asks whoever listens where the text of the configuration at `path` (absolute) has the control socket. Where no
 * answer counts it runs the configuration, and says on stderr what is wrong with it. False, after a message: no
 * process can be made, or there is no memory. Blocking: RUNNING_ASK_MS for a daemon that hangs. Call with one thread.
 * Ended by running_free().
 */
bool running_find(const char *path, struct running *running);
void running_free(struct running *running);

#define RUNNING_ASK_MS 1000 /* how long the answer to "about" is waited for, which a daemon gives at once */
