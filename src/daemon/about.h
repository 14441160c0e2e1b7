/* The answer to {"request": "about"}: who the daemon is and where its files are. Pure. */
#pragma once

#include "base/json.h"
#include "core/config.h"

/*
 * Writes into an open object: "pid", "version", "configuration" (its path), "read" (when the daemon began to read it,
 * epoch seconds; the daemon does not run by a file that was changed later), "daemon_user", "pid_file", "status_file",
 * "log_file" (null if `foreground`, as the log goes to stdout then), "control_socket", and "shutdown_grace"
 * (seconds). `first` is the start's configuration, whose pid file and socket stay whatever a reload says; `now` is
 * the present one.
 */
void about_render(const struct config *first, const struct config *now, bool foreground, struct json *json);
