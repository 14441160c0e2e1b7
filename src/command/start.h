/* `plusmoin start`: everything between the command line and the daemon's loop. */
#pragma once

#include <stdbool.h>

/* The exit status. `config_path` is absolute. Without `foreground` the caller's process is left. */
int command_start(const char *config_path, bool foreground);
