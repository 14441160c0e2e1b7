/* A connection to the running daemon that takes one request after another. For verbs; blocking. */
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "base/buf.h"

struct channel {
	int fd; /* -1: closed */
	char *path;
};

/* Connects to the control socket `path`. False, after a message: nobody listens there, or not for us. */
bool channel_open(struct channel *channel, const char *path);

/* How a user ends what channel_ask() waits for. */
struct channel_stop {
	volatile sig_atomic_t *wanted; /* the handler of SIGINT sets it, channel_ask() clears it */
	void (*stop)(void *data);      /* called when `wanted` was set */
	void *data;
};

/*
 * Sends the line `request` and waits for the answer, one line, in `answer`, however long it takes. `stop` NULL: SIGINT
 * keeps its effect. False, after a message: the daemon has closed the connection, and the channel is closed.
 */
bool channel_ask(struct channel *channel, const struct buf *request, struct buf *answer,
		 const struct channel_stop *stop);

void channel_close(struct channel *channel);
