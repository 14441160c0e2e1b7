/*
 * The window's thread: a loop of its own with libmicrohttpd on it (http-notes.md, "The set-up to take"). It is told all by
 * the inbox, and asks the monitor by its list of askings (asking.h).
 */
#pragma once

#include <uv.h>

#include "window/inbox.h"
#include "window/visit.h"

struct server;

/* What it works with; all outlives it. */
struct server_start {
	struct inbox *inbox;
	const struct meters *meters;
	void (*wake_monitor)(void *data); /* is called on its thread */
	void *data;                       /* of this */
};

/* Makes the server with its loop, for a thread that runs it. NULL: `*error`, libuv's. */
struct server *server_new(const struct server_start *start, int *error);

/* Wakes it: something is in the inbox. Any thread. */
void server_wake(struct server *server);

/* Runs until a note ends it. On its own thread. */
void server_run(struct server *server);

/* What it asks the monitor; the server's. */
struct chain *server_askings(struct server *server);

/* After its end, or before its begin. NULL allowed; clears the pointer. */
void server_free(struct server **server);
