#include "records/whole_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

struct whole_file {
	uv_loop_t *loop;
	struct whole_file_kind kind;
	char *path;
	char *temporary;
	uv_fs_t request;
	uv_file fd;
	bool busy;
	bool freed;
	bool failing; /* said once */
	char *writing;
	size_t written;
	char *next; /* newer content that waits */
	char *last; /* what was asked for last */
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
	free(file->writing);
	free(file->next);
	free(file->last);
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
	free(file->writing);
	file->writing = NULL;
	if (file->next != NULL)
		start(file);
	else if (file->freed)
		free_all(file);
}

/* The result of the request that has just ended; makes it ready for the next. */
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
	uv_buf_t buf = uv_buf_init(file->writing + file->written,
				   (unsigned)(strlen(file->writing) - file->written));

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

static void give_up(struct whole_file *file, int error)
{
	uv_fs_t close;

	uv_fs_close(file->loop, &close, file->fd, NULL);
	uv_fs_req_cleanup(&close);
	finish(file, error);
}

static void on_write(uv_fs_t *request)
{
	struct whole_file *file = request->data;
	ssize_t n = result(request);

	if (n < 0) {
		give_up(file, (int)n);
		return;
	}
	file->written += (size_t)n;
	if (file->written < strlen(file->writing))
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
		give_up(file, (int)n);
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

static void on_rename(uv_fs_t *request)
{
	struct whole_file *file = request->data;

	finish(file, (int)result(request));
}

struct whole_file *whole_file_new(uv_loop_t *loop, const char *path,
				  const struct whole_file_kind *kind)
{
	struct whole_file *file = mem_zalloc(1, sizeof(*file));

	file->loop = loop;
	file->kind = *kind;
	file->path = mem_strdup(path);
	file->temporary = mem_printf("%s.new", path);
	file->request.data = file;
	return file;
}

void whole_file_write(struct whole_file *file, const char *text, bool force)
{
	if (!force && !file->failing && file->last != NULL && strcmp(file->last, text) == 0)
		return;
	free(file->last);
	file->last = mem_strdup(text);
	free(file->next);
	file->next = mem_strdup(text);
	if (!file->busy)
		start(file);
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
