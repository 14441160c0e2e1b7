/*
 * Answers HAProxy's agent-check: a client sends one line, gets one line (core/agent_line.h has the words), and the
 * connection is closed. It runs on the window's loop, in the window's thread.
 *
 * When plusmoin cannot tell a node's state (the monitor's loop does not turn, its first rounds are not over, ...), the
 * connection is closed without a line. HAProxy then keeps what it was told last, so a dead monitor takes no server out
 * of a pool.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "core/node_view.h"

#define AGENT_CLIENTS 256  /* at once, 1 while descriptors are scarce; one more ends the oldest client */
#define AGENT_LINE_MS 3000 /* that a client has to send its line */

struct agent;

/*
 * Finds what is known of the node of this name; `*node` is NULL where there is none, and lives until control is back at
 * the loop. Returns false where nothing can be said of any node.
 */
typedef bool agent_finder(void *data, const char *name, const struct node_view **node);

/* Makes an agent that listens nowhere yet. It calls `find` from the loop. */
struct agent *agent_new(uv_loop_t *loop, agent_finder *find, void *data);

/*
 * Accepts clients from this listening socket in place of the one before (-1: from none). The socket does not block and
 * stays the caller's, who must give another one before closing it. Clients that are connected stay.
 */
void agent_listen(struct agent *agent, int fd);

/* Accepts NULL, and clears the pointer. The loop must run until the agent's handles are closed. */
void agent_free(struct agent **agent);
