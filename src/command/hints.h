/*
 * Where a configuration seems to have the control socket, by a look at its text alone: nothing of it is run. What is
 * found is a guess (it may stand in a comment, or be made of parts); who answers there must say whose it is.
 */
#pragma once

#include "base/buf.h"

#define HINTS_MOST 4 /* sockets */

/*
 * Adds to `sockets` the paths, the caller's to free, in the order in which they stand in the file at `path` (absolute):
 * what is written there as control_socket; where none is, plusmoin.sock beside what is written as pid_file; where that
 * is not either, or the file cannot be read, the default. Blocking. Call with one thread.
 */
void hints_read(const char *path, struct list *sockets);
