/* `plusmoin monitors`: who there is where several monitors watch one fleet, and who of them acts. */
#pragma once

#include <stdbool.h>

/*
 * Asks the running daemon and prints a table, with `as_json` the answer as it came. `word` NULL: nothing else;
 * "resign": before that the daemon hands over, if it acts, which is waited for. The exit status: 1 without a daemon,
 * where the monitor is alone, and when nobody takes over in time; 2 for another word.
 */
int command_monitors(const char *config_path, const char *word, bool as_json);
