/*
 * The script host: a thread with a Lua state of its own, one per load of the
 * configuration. It evaluates the files and reports struct config or the
 * errors; the state stays for the triggers that come with a later issue.
 */
#pragma once

#include "script/loader.h"

#define HOST_LOAD_MS 10000 /* design.md, "Threads": a load takes 10 s at most */

struct host;

/*
 * Starts a host and waits for its report, HOST_LOAD_MS at most. NULL, with the
 * errors in `report`, when the configuration cannot be used; a host whose files
 * loop for ever is left behind. `*config` is the caller's reference.
 */
struct host *host_start(const char *path, struct config **config, struct load_report *report);

/* Ends the thread and its state; NULL allowed, clears the pointer. */
void host_stop(struct host **host);
