/* The daemon: joins monitor, dispatch, status file and control socket on one loop. */
#pragma once

#include "script/hosts.h"

struct daemon;

struct daemon_start {
	struct host *host;     /* has loaded the configuration; the daemon takes it over */
	struct shared *shared; /* what script hosts share; the daemon takes it over */
	struct config *config; /* the configuration; the daemon takes over the reference */
	bool foreground;       /* the log goes to stdout, whatever log_file says */
	int pid_fd;            /* the pid file's, which is locked and written; the daemon releases it at the end */
	/*
	 * Is called once the daemon is up: what `plusmoin start` promises holds then (contract.md, "Build and command
	 * line").
	 */
	void (*up)(void *data);
	void *data;
};

/*
 * Makes the daemon with its loop and its signal handlers, so that daemon_run() handles a signal that has come before
 * it. To be called after the last fork. NULL: errno says why.
 */
struct daemon *daemon_new(void);

/* Frees a daemon that is not to run after all. NULL allowed, clears the pointer. */
void daemon_free(struct daemon **daemon);

/*
 * Runs until SIGTERM or SIGINT and frees the daemon: 0, or an exit status after a
 * message on stderr.
 */
int daemon_run(struct daemon *daemon, const struct daemon_start *start);
