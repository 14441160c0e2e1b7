/*
 * Answers of the control socket that take time in a large fleet. They are made one after another, in the order in
 * which they were asked for. Each turn of the loop does RENDERING_TURN_US of work on them, so that the monitor's
 * sockets and timers come in between. Clients that ask the same before an answer is begun share it. Monitor's loop.
 */
#pragma once

#include <uv.h>

#include "base/shared_text.h"
#include "daemon/control.h"

/*
 * How much work a turn does: a tenth of the 20 ms that a poll may be late. A turn ends between two parts, so that it
 * may take longer by one part: some 100 us for 50 nodes of a status.
 */
#define RENDERING_TURN_US 2000

struct rendering;

/*
 * Makes the next part of the answer. NULL: more parts follow, and no other request's in between. Else it is the whole
 * answer, one JSON object, a reference for the caller.
 */
typedef struct shared_text *rendering_part(void *data, const struct request *request);

/* Sends its answers at `control`, which outlives it. */
struct rendering *rendering_new(uv_loop_t *loop, struct control *control, rendering_part *part, void *data);

/*
 * Sees that `client` is answered, if it still waits then. Takes over what is in `request`, which is empty afterwards,
 * unless an answer to the same request was asked for before.
 */
void rendering_ask(struct rendering *rendering, unsigned long client, struct request *request);

/* Leaves what was asked for unanswered. NULL allowed, clears the pointer. */
void rendering_free(struct rendering **rendering);
