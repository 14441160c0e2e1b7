/* `plusmoin watch`: the status of the running daemon, again and again. */
#pragma once

/*
 * Until SIGINT or SIGTERM; then 0, or 1 when no daemon ever answered. `config_path`
 * (absolute) may be broken: its file names are taken as far as they go.
 */
int command_watch(const char *config_path);
