/*
 * The control socket: one JSON request a line, one JSON answer a line. Clients
 * never block the monitor: one that has CONTROL_CLIENT_BYTES of answers unread,
 * or sends a longer line, is closed. Monitor's loop.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "base/buf.h"
#include "io/request.h"

#define CONTROL_CLIENT_BYTES 65536
#define CONTROL_CLIENTS 64

struct control;

/*
 * Appends the answer to a request, one JSON object, to `out`; or returns false:
 * the answer follows by control_answer() for this client, and not from inside.
 */
typedef bool control_answerer(void *data, unsigned long client, const struct request *request,
			      struct buf *out);

/*
 * Listens at `path` (mode 0660; a dead socket file there is replaced). NULL, and
 * `*error` (libuv's), when it cannot.
 */
struct control *control_new(uv_loop_t *loop, const char *path, control_answerer *answer,
			    void *data, int *error);

/* The answer that `client` waits for, one JSON object; nothing when it is gone. */
void control_answer(struct control *control, unsigned long client, const char *text);

/* Closes all and removes the socket file; NULL allowed, clears the pointer. */
void control_free(struct control **control);
