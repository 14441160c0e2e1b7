/*
 * A file that is replaced as a whole (the status file, the state file): a
 * temporary one beside it, then rename; written by libuv's pool, one write at a
 * time, the newest content wins. Monitor's loop.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "base/buf.h"

/* How the temporary file is opened: a link or a fifo in its place is an error, nothing hangs. */
#define WHOLE_FILE_FLAGS \
	(O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

struct whole_file;

/* How messages call the file, and whether each write reaches the disk before it counts. */
struct whole_file_kind {
	const char *what; /* a literal */
	bool sync;
	int mode;
};

struct whole_file *whole_file_new(uv_loop_t *loop, const char *path,
				  const struct whole_file_kind *kind);

/* Writes the buffer's text, which it takes, unless it is what was written last and `force` is false. */
void whole_file_write(struct whole_file *file, struct buf *content, bool force);

/* Writes once more what was written last; something was. */
void whole_file_repeat(struct whole_file *file);

/* Where it writes; lives as long as `file`. */
const char *whole_file_path(const struct whole_file *file);

/* Lets a write under way end; NULL allowed, clears the pointer. */
void whole_file_free(struct whole_file **file);
