/*
 * The control socket: one JSON request a line, one JSON answer a line. Clients never block the monitor, and never
 * hold much of its memory: each has one answer on its way at a time, and those that get the same one share it; a
 * client's next request is read when its last answer has gone out. The control closes a client that sends a longer
 * line than CONTROL_LINE_BYTES, one that reads nothing of an answer for the time given, and, when CONTROL_CLIENTS are
 * connected and another one comes, the one that has asked nothing for longest. Monitor's loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/shared_text.h"
#include "daemon/request.h"

#define CONTROL_LINE_BYTES 65536
#define CONTROL_CLIENTS 64
#define CONTROL_SILENCE_MS 10000 /* contract.md, "Control socket" */

struct control;

/*
 * Answers a request. True: `*answer` is one JSON object, a reference for the caller. False: the answer follows by
 * control_answer() for this client, and not from inside this call. The caller frees what is in the request, unless
 * the callee takes it out.
 */
typedef bool control_answerer(void *data, unsigned long client, struct request *request, struct shared_text **answer);

/*
 * Listens at `path` (socket_file.h). `silence_ms`: how long a client may read nothing of its answer. NULL: it cannot
 * listen, and `*error` is libuv's.
 */
struct control *control_new(uv_loop_t *loop, const char *path, int64_t silence_ms,
			    control_answerer *answer, void *data, int *error);

/*
 * From now on `gone` is called, with the `data` of control_new(), for each client that has gone or was closed, also
 * from inside of control_free() and of control_answer().
 */
void control_tell_gone(struct control *control, void (*gone)(void *data, unsigned long client));

/*
 * Sends the answer that `client` waits for, one JSON object; does nothing when the client is gone. Takes a reference
 * of its own.
 */
void control_answer(struct control *control, unsigned long client, struct shared_text *text);

/* Whether that client is there and waits for an answer. */
bool control_waits(const struct control *control, unsigned long client);

/* Closes all and removes the socket file; NULL allowed, clears the pointer. */
void control_free(struct control **control);
