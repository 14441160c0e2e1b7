/* `plusmoin monitors`: which monitors watch the fleet, and which of them acts. */
#pragma once

#include <stdbool.h>

/*
 * Asks the running daemon and prints a table, with `as_json` the answer as it came. `word` NULL: only that. "resign":
 * before it the daemon hands over, if it acts, and that is waited for. "seed": before it the daemon writes what it
 * knows to another etcd. Returns the exit status: 1 without a daemon, where the monitor is alone, and when nobody
 * takes over in time; 2 for another word.
 */
int command_monitors(const char *config_path, const char *word, bool as_json);
