/*
 * Answers of the control socket that take time in a large fleet. They are made one after another, in the order in which
 * they were asked for, and RENDERING_TURN_US of work a turn of the loop, so that sockets and timers of the monitor come
 * in between; who asks the same before an answer is begun shares it. Monitor's loop.
 */
#pragma once

#include <uv.h>

#include "base/shared_text.h"
#include "daemon/control.h"

/*
 * What a turn may take: a tenth of the 20 ms that a poll may be late. An answer's part goes beyond it by what the part
 * takes: some 100 us for 50 nodes of a status.
 */
#define RENDERING_TURN_US 2000

struct rendering;

/*
 * Makes a part of the answer: NULL, more parts follow, and no other request's in between; or the whole answer, one JSON
 * object, a reference for the caller.
 */
typedef struct shared_text *rendering_part(void *data, const struct request *request);

/* Answers go out at `control`, the caller's, which ends later. */
struct rendering *rendering_new(uv_loop_t *loop, struct control *control, rendering_part *part, void *data);

/* The answer to `client` follows, if that still waits then. Takes over what is in `request`, which is empty afterwards. */
void rendering_ask(struct rendering *rendering, unsigned long client, struct request *request);

/* What is asked for stays without an answer. NULL allowed, clears the pointer. */
void rendering_free(struct rendering **rendering);
