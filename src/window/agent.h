/*
 * HAProxy's agent-check: one line in, one line out, and the connection is closed (core/agent_line.h has the words).
 * Everything happens on the loop that it was given, the window's, in its thread.
 *
 * When nothing can be said (the monitor does not turn, its first rounds are not over, ...) the connection is closed
 * without a word: HAProxy keeps what it was told last, so a dead monitor takes nobody out of a pool.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "core/node_view.h"

#define AGENT_CLIENTS 256  /* at once, and 1 of the last descriptors; when one more comes, who has been there longest goes */
#define AGENT_LINE_MS 3000 /* until the line has come */

struct agent;

/*
 * Finds what is known of a node; `*node` NULL: none has this name. Lives until control is back at the loop. False:
 * nothing can be said of any.
 */
typedef bool agent_finder(void *data, const char *name, const struct node_view **node);

/* Listens nowhere yet. `find` is called from the loop. */
struct agent *agent_new(uv_loop_t *loop, agent_finder *find, void *data);

/*
 * Accepts clients from this listening socket from now on, no more from the one before (-1: from none). It does not
 * block and stays the caller's, who gives another one before closing it. Who is connected stays.
 */
void agent_listen(struct agent *agent, int fd);

/* NULL allowed; clears the pointer. The loop must run on until its handles are closed. */
void agent_free(struct agent **agent);
