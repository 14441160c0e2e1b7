/*
 * A mailbox takes messages (pointers) from other threads and gives them to one loop,
 * in order. Sending never waits; `receive` is called on the loop, once a message.
 */
#pragma once

#include <uv.h>

struct mailbox;

struct mailbox *mailbox_new(uv_loop_t *loop, void (*receive)(void *data, void *message),
			    void *data);

/* Any thread. The caller makes sure that the mailbox is not freed meanwhile. */
void mailbox_send(struct mailbox *mailbox, void *message);

/* Gives messages that were not received to `drop`. On its loop's thread; NULL allowed; clears the pointer. */
void mailbox_free(struct mailbox **mailbox, void (*drop)(void *message));
