/* `plusmoin run-trigger` runs a trigger by hand, with the real API. */
#pragma once

/*
 * Runs `what`: a Lua file, or the functions that the configuration has for an event ("master_up", or one of a list:
 * "master_up[2]"), with the event of the file `event_path` (NULL: an event made of the running daemon's state; "-":
 * stdin). Returns the exit status: 0, 1 it failed, 2 wrong usage, 3 bad configuration. Becomes daemon_user.
 */
int command_run_trigger(const char *config_path, const char *what, const char *event_path);
