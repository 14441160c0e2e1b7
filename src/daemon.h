/* The daemon: joins monitor, dispatch, status file and control socket on one loop. */
#pragma once

#include "script/hosts.h"

/*
 * Runs until SIGTERM or SIGINT: 0, or an exit status after a message on stderr.
 * Takes over the host and the reference of `config`.
 */
int daemon_run(struct host *host, struct shared *shared, struct config *config);
