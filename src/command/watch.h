/* `plusmoin watch` shows the status of the running daemon, again and again. */
#pragma once

/*
 * Shows it until SIGINT or SIGTERM. Returns 0, or 1 when no daemon ever answered. `config_path` (absolute) may be
 * broken: the file names that can be read of it are used.
 */
int command_watch(const char *config_path);
