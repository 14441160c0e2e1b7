#include "records/whole_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/shared_text.h"
#include "system/directory.h"

struct whole_file {
	uv_loop_t *loop;
	struct whole_file_kind kind;
	char *path;
	char *temporary;
	char *directory;
	uv_fs_t request;
	uv_file fd; /* of the file, then of its directory */
	int error;  /* libuv's error of the write, which is told when `fd` is closed */
	bool busy;  /* a write is under way */
	bool freed;
	bool failing; /* the last write has failed, which was logged */
	struct shared_text *writing;
	size_t written; /* bytes of `writing` */
	struct shared_text *next; /* newer content that waits; NULL: none */
	struct shared_text *last; /* the content that was asked for last */
};

static void start(struct whole_file *file);
static void on_open(uv_fs_t *request);
static void on_write(uv_fs_t *request);
static void on_synced(uv_fs_t *request);
static void on_close(uv_fs_t *request);
static void on_rename(uv_fs_t *request);

static void free_all(struct whole_file *file)
{
	free(file->path);
	free(file->temporary);
	free(file->directory);
	shared_text_unref(&file->writing);
	shared_text_unref(&file->next);
	shared_text_unref(&file->last);
	free(file);
}

static void finish(struct whole_file *file, int error)
{
	if (error < 0 && !file->failing)
		log_error("cannot write %s %s: %s", file->kind.what, file->path,
			  uv_strerror(error));
	else if (error >= 0 && file->failing)
		log_error("%s %s can be written again", file->kind.what, file->path);
	file->failing = error < 0;
	file->busy = false;
	shared_text_unref(&file->writing);
	if (file->next != NULL)
		start(file);
	else if (file->freed)
		free_all(file);
}

/* The result of the request that has just ended; makes the request ready for the next use. */
static ssize_t result(uv_fs_t *request)
{
	ssize_t n = request->result;

	uv_fs_req_cleanup(request);
	return n;
}

static void start(struct whole_file *file)
{
	int error;

	file->busy = true;
	file->writing = file->next;
	file->next = NULL;
	file->written = 0;
	error = uv_fs_open(file->loop, &file->request, file->temporary,
			   WHOLE_FILE_FLAGS, file->kind.mode, on_open);
	if (error != 0)
		finish(file, error);
}

static void write_more(struct whole_file *file)
{
	uv_buf_t buf = uv_buf_init(file->writing->data + file->written,
				   (unsigned)(file->writing->len - file->written));

	uv_fs_write(file->loop, &file->request, file->fd, &buf, 1, -1, on_write);
}

static void on_open(uv_fs_t *request)
{
	struct whole_file *file = request->data;
	ssize_t n = result(request);

	if (n < 0) {
		finish(file, (int)n);
		return;
	}
	file->fd = (uv_file)n;
	write_more(file);
}

static void on_closed_at_last(uv_fs_t *request)
{
	struct whole_file *file = request->data;

	(void)result(request);
	finish(file, file->error);
}

/* Closes the file, which another thread does, since that may take long on a network file system. */
static void close_and_finish(struct whole_file *file, int error)
{
	file->error = error;
	uv_fs_close(file->loop, &file->request, file->fd, on_closed_at_last);
}

static void on_write(uv_fs_t *request)
{
	struct whole_file *file = request->data;
	ssize_t n = result(request);

	if (n < 0) {
		close_and_finish(file, (int)n);
		return;
	}
	file->written += (size_t)n;
	if (file->written < file->writing->len)
		write_more(file);
	else if (file->kind.sync)
		uv_fs_fsync(file->loop, &file->request, file->fd, on_synced);
	else
		uv_fs_close(file->loop, &file->request, file->fd, on_close);
}

static void on_synced(uv_fs_t *request)
{
	struct whole_file *file = request->data;
	ssize_t n = result(request);

	if (n < 0)
		close_and_finish(file, (int)n);
	else
		uv_fs_close(file->loop, &file->request, file->fd, on_close);
}

static void on_close(uv_fs_t *request)
{
	struct whole_file *file = request->data;
	ssize_t n = result(request);

	if (n < 0)
		finish(file, (int)n);
	else
		uv_fs_rename(file->loop, &file->request, file->temporary, file->path, on_rename);
}

static void on_directory_synced(uv_fs_t *request)
{
	struct whole_file *file = request->data;
	ssize_t n = result(request);

	/* on some file systems a directory cannot be synced, which is no error */
	close_and_finish(file, n == UV_EINVAL || n == UV_ENOTSUP ? 0 : (int)n);
}

/* Syncs the directory. One that we may not read cannot be synced, which is no error, as the file is written. */
static void on_directory(uv_fs_t *request)
{
	struct whole_file *file = request->data;
	ssize_t n = result(request);

	if (n < 0) {
		finish(file, n == UV_EACCES ? 0 : (int)n);
		return;
	}
	file->fd = (uv_file)n;
	uv_fs_fsync(file->loop, &file->request, file->fd, on_directory_synced);
}

/* Opens the directory to sync it, as it holds the file's new name. */
static void on_rename(uv_fs_t *request)
{
	struct whole_file *file = request->data;
	ssize_t n = result(request);

	if (n < 0 || !file->kind.sync)
		finish(file, (int)n);
	else
		uv_fs_open(file->loop, &file->request, file->directory,
			   O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, on_directory);
}

struct whole_file *whole_file_new(uv_loop_t *loop, const char *path,
				  const struct whole_file_kind *kind)
{
	struct whole_file *file = mem_zalloc(1, sizeof(*file));

	file->loop = loop;
	file->kind = *kind;
	file->path = mem_strdup(path);
	file->temporary = mem_printf("%s.new", path);
	file->directory = directory_of(path);
	file->request.data = file;
	return file;
}

void whole_file_repeat(struct whole_file *file)
{
	shared_text_unref(&file->next);
	file->next = shared_text_ref(file->last);
	if (!file->busy)
		start(file);
}

void whole_file_write(struct whole_file *file, struct buf *content, bool force)
{
	struct shared_text *text = shared_text_take(content);
	bool is_same = file->last != NULL && file->last->len == text->len && strcmp(file->last->data, text->data) == 0;

	if (is_same && !force && !file->failing) {
		shared_text_unref(&text);
		return;
	}
	shared_text_unref(&file->last);
	file->last = text;
	whole_file_repeat(file);
}

const char *whole_file_path(const struct whole_file *file)
{
	return file->path;
}

void whole_file_free(struct whole_file **file_p)
{
	struct whole_file *file = *file_p;

	*file_p = NULL;
	if (file == NULL)
		return;
	file->freed = true;
	if (!file->busy)
		free_all(file);
}
