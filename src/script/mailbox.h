/*
 * Messages for one loop from other threads: pointers, in order. Sending never
 * waits; `receive` runs on the loop, one call a message.
 */
#pragma once

#include <uv.h>

struct mailbox;

struct mailbox *mailbox_new(uv_loop_t *loop, void (*receive)(void *data, void *message),
			    void *data);

/* Any thread; the mailbox must live. */
void mailbox_send(struct mailbox *mailbox, void *message);

/* Gives what was not received to `drop`. On its loop; NULL allowed, clears the pointer. */
void mailbox_free(struct mailbox **mailbox, void (*drop)(void *message));
