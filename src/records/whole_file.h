/*
 * A file that is replaced as a whole (the status file, the state file): libuv's thread
 * pool writes a temporary file beside it, and renames that. One write is under way at a
 * time; of the contents that wait meanwhile only the newest is written. Monitor's loop.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "base/buf.h"

/* How the temporary file is opened: a symbolic link or a fifo in its place is an error, so that nothing hangs. */
#define WHOLE_FILE_FLAGS \
	(O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

struct whole_file;

struct whole_file_kind {
	const char *what; /* how messages call the file; a literal */
	bool sync;        /* the file is renamed only when it is on the disk, and then the directory is synced */
	int mode;         /* the permissions of the file */
};

struct whole_file *whole_file_new(uv_loop_t *loop, const char *path,
				  const struct whole_file_kind *kind);

/* Writes the buffer's text, which it takes, unless it is what was written last and `force` is false. */
void whole_file_write(struct whole_file *file, struct buf *content, bool force);

/* Writes once more what was written last; the caller has called whole_file_write() before. */
void whole_file_repeat(struct whole_file *file);

/* The path of the file; lives as long as `file`. */
const char *whole_file_path(const struct whole_file *file);

/* Lets a write that is under way end. NULL allowed; clears the pointer. */
void whole_file_free(struct whole_file **file);
