/* `plusmoin explain`: why a node is where it is, and what came of an event. */
#pragma once

#include <stdbool.h>

/*
 * Asks the running daemon about `what`, a node ("host:port" or its name) or an event's id, and prints the answer, with
 * `as_json` as it came. `what` NULL: about every node that is not well. Returns the exit status: 1 without a daemon,
 * or when there is no such node or event.
 */
int command_explain(const char *config_path, const char *what, bool as_json);
