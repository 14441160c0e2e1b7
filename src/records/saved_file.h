/*
 * Reads the state file of an earlier run, once, before the loop runs. A damaged file is
 * renamed, and never keeps a monitor from starting.
 */
#pragma once

#include "core/saved.h"

/*
 * What the file at `path` holds, the caller's to free. `*why` (the caller's) says which parts
 * were left out; NULL: none were. Returns NULL when there is no file; or, with `*why`, when it
 * cannot be read, or is damaged as a whole and was renamed to "PATH.damaged".
 */
struct saved *saved_file_read(const char *path, char **why);
