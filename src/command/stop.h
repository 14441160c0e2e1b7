/* `plusmoin stop` and `plusmoin reload`: the daemon is found by its pid file. */
#pragma once

/*
 * Signals the daemon and waits until it has ended, for shutdown_grace and a little; then kills it, and says so.
 * Returns the exit status. `config_path` is absolute.
 */
int command_stop(const char *config_path);

/*
 * Has the configuration loaded anew, waits for the outcome and prints it. Where nobody listens at the control socket
 * the daemon gets SIGHUP. Returns the exit status: 3 when the daemon found the configuration bad.
 */
int command_reload(const char *config_path);
