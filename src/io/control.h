/*
 * The control socket: one JSON request a line, one JSON answer a line. Clients
 * never block the monitor: one that has CONTROL_CLIENT_BYTES of answers unread,
 * or sends a longer line, is closed. Monitor's loop.
 */
#pragma once

#include <uv.h>

#include "base/buf.h"

#define CONTROL_CLIENT_BYTES 65536
#define CONTROL_CLIENTS 64

struct control;

/*
 * Listens at `path` (mode 0660; a dead socket file there is replaced). `answer`
 * appends the members of the answer to a request ("ok" included) to `out`.
 * NULL, and `*error` (libuv's), when it cannot.
 */
struct control *control_new(uv_loop_t *loop, const char *path,
			    void (*answer)(void *data, const char *request, struct buf *out),
			    void *data, int *error);

/* Closes all and removes the socket file; NULL allowed, clears the pointer. */
void control_free(struct control **control);
