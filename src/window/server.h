/*
 * The server is what runs in the window's thread: a loop with libmicrohttpd on it (http-notes.md, "The set-up to
 * take"). The monitor's thread reaches it by the inbox; it asks the monitor by a list of askings (asking.h).
 */
#pragma once

#include <uv.h>

#include "window/inbox.h"
#include "window/visit.h"

struct server;

/* What the server works with; all of it must outlive the server. */
struct server_start {
	struct inbox *inbox;
	const struct meters *meters;
	void (*wake_monitor)(void *data); /* the server calls it on its own thread */
	void *data;                       /* argument of wake_monitor */
};

/* Makes the server with its loop, for a thread that runs it. On failure returns NULL and libuv's error in `*error`. */
struct server *server_new(const struct server_start *start, int *error);

/* Wakes the server, because something is in the inbox. Any thread. */
void server_wake(struct server *server);

/* Runs the server until NOTE_END comes. The server's own thread calls it. */
void server_run(struct server *server);

/* Returns the list of what the server asks the monitor. The server owns the list. */
struct chain *server_askings(struct server *server);

/* Must not be called while server_run() runs. Accepts NULL, and clears the pointer. */
void server_free(struct server **server);
