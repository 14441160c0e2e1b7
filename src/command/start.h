/* `plusmoin start`: everything between the command line and the daemon's loop. */
#pragma once

#include <stdbool.h>

/*
 * Starts the daemon and returns the exit status. `config_path` is absolute. Without `foreground` the daemon runs in a
 * process of its own, apart from the terminal.
 */
int command_start(const char *config_path, bool foreground);
