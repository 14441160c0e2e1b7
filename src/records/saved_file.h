/*
 * Reads the state file again, once, before the loop runs. A damaged one is set
 * aside: it never keeps a monitor from starting.
 */
#pragma once

#include "core/saved.h"

/*
 * What the file at `path` holds, the caller's to free. NULL when there is none; or,
 * with `*why` (the caller's), when it cannot be read, or is damaged and has been
 * renamed to "PATH.damaged".
 */
struct saved *saved_file_read(const char *path, char **why);
