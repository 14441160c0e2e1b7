/* The daemon: joins monitor, dispatch, status file and control socket on one loop. */
#pragma once

#include "script/hosts.h"

struct daemon;

struct daemon_start {
	struct host *host;     /* has loaded; the daemon's from now on, with its */
	struct shared *shared; /* board */
	struct config *config; /* and the reference to it */
	bool foreground;       /* the log goes to stdout, whatever log_file says */
	int pid_fd;            /* locked and written; released at the end */
	/* It is up: what `start` promises holds (contract.md, "Build and command line"). */
	void (*up)(void *data);
	void *data;
};

/*
 * Its loop and its signal handlers: what comes from now on is seen when it runs.
 * After the last fork. NULL: errno.
 */
struct daemon *daemon_new(void);

/* One that is not to run after all. NULL allowed, clears the pointer. */
void daemon_free(struct daemon **daemon);

/*
 * Runs until SIGTERM or SIGINT and frees the daemon: 0, or an exit status after a
 * message on stderr.
 */
int daemon_run(struct daemon *daemon, const struct daemon_start *start);
