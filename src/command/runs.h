/* `plusmoin runs` lists which triggers run and which wait, and ends one of them by hand. */
#pragma once

#include <stdbool.h>

/*
 * Asks the running daemon and prints a table, with `as_json` the answer as it came. `word` NULL: lists all. "kill":
 * ends the run of that id. Returns the exit status: 1 without a daemon, and where there is no such run; 2 for other
 * words.
 */
int command_runs(const char *config_path, const char *word, const char *id, bool as_json);
