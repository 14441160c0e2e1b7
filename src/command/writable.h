/*
 * Looks, for `check`, whether the daemon will be able to write its own files: status, state, log and pid file, and the
 * control socket (contract.md, "Privileges and files"). Writes nothing. Blocking; after become_drop().
 */
#pragma once

#include "base/json.h"
#include "command/become.h"
#include "core/config.h"

/*
 * Adds "files" to the open object, a list of those that cannot be written: {"key": the setting, "path", "fault",
 * "place": the file or directory that is in the way, "parent": the directory above it, "user": who cannot write,
 * "words": errno's}. `fault` is "missing" (a directory is not there and `start` does not make it), "make" (`start`
 * cannot make it), "reach" (`user` may not look there), "other" (it is no directory, say), "mount" (a file system is
 * read-only), "directory" or "file" (`user` may not write it). What root makes at a start is no fault where root runs
 * `check`.
 */
void writable_add(struct json *json, const struct config *config, const struct become *become);
