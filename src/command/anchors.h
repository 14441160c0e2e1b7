/* Asks isolation_anchors for `plusmoin check`, each by a TCP connect. Loop's thread. */
#pragma once

#include "base/json.h"
#include "core/config.h"
#include "net/resolve.h"

struct anchors;

/*
 * Asks all of them at once; `done` is called once, never from inside this call, when each has answered or
 * query_timeout has passed. `config` outlives it.
 */
struct anchors *anchors_ask(uv_loop_t *loop, struct resolver *resolver, const struct config *config,
			    void (*done)(void *data), void *data);

/*
 * Writes into an open object: "anchors" (text, and whether it was heard), "hosts" (how many other machines the nodes
 * are on, three at most), and whether master_down and monitor_isolated have triggers.
 */
void anchors_render(const struct anchors *anchors, struct json *json);

/* Ends the asking; before the loop is closed. */
void anchors_stop(struct anchors *anchors);

/* NULL allowed; clears the pointer. After anchors_stop(). */
void anchors_free(struct anchors **anchors);
