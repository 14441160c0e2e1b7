/* `plusmoin status` asks the running daemon, or prints what the status file holds. */
#pragma once

#include <stdbool.h>

/*
 * Prints the status, and returns the exit status. `config_path` (absolute) may be broken: the file names that can be
 * read of it are used.
 */
int command_status(const char *config_path, bool as_json);
