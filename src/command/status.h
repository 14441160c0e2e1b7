/* `plusmoin status`: asks the running daemon, or prints what the status file holds. */
#pragma once

#include <stdbool.h>

/* The exit status. `config_path` (absolute) may be broken: its file names are taken as far as they go. */
int command_status(const char *config_path, bool as_json);
