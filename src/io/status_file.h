/*
 * The status file: replaced atomically (a temporary file beside it, then
 * rename), written by libuv's pool, one write at a time, the newest content
 * wins. Monitor's loop.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

struct status_file;

struct status_file *status_file_new(uv_loop_t *loop, const char *path);

/* Writes `text` (copied), unless it is what was written last and `force` is false. */
void status_file_write(struct status_file *file, const char *text, bool force);

/* Where it writes; lives as long as `file`. */
const char *status_file_path(const struct status_file *file);

/* Lets a write under way end; NULL allowed, clears the pointer. */
void status_file_free(struct status_file **file);
