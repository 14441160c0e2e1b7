/* A connection to the running daemon that lasts: one request after another. For verbs; blocking. */
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "base/buf.h"

struct channel {
	int fd; /* -1: closed */
	char *path;
};

/* False, after a message: nobody listens at the control socket `path`, or not for us. */
bool channel_open(struct channel *channel, const char *path);

/* How a user ends what is waited for. */
struct channel_stop {
	volatile sig_atomic_t *wanted; /* set by the handler of SIGINT; is cleared */
	void (*stop)(void *data);      /* is called then */
	void *data;
};

/*
 * Sends the line `request` and waits for the answer, one line, in `answer`, however long it takes. `stop` NULL: SIGINT
 * does what it does. False, after a message: the daemon has closed the connection, and so is the channel.
 */
bool channel_ask(struct channel *channel, const struct buf *request, struct buf *answer,
		 const struct channel_stop *stop);

void channel_close(struct channel *channel);
