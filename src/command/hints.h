/*
 * Guesses where a configuration has the control socket, by its text alone: nothing of it is run. A guess may be wrong
 * (the text may stand in a comment, or be made of parts), so that who answers there must say whose daemon it is.
 */
#pragma once

#include "base/buf.h"

#define HINTS_MOST 4 /* sockets that are guessed at most */

/*
 * Adds to `sockets` the paths, the caller's to free, in the order in which they stand in the file at `path`
 * (absolute): those given as control_socket; where there is none, plusmoin.sock beside those given as pid_file; where
 * there is none either, or the file cannot be read, the default. Blocking. Call with one thread.
 */
void hints_read(const char *path, struct list *sockets);
