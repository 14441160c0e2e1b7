#include "system/socket_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "base/mem.h"

/* Removes a socket file on which nobody listens. Returns 0 or libuv's error; UV_EADDRINUSE when somebody listens. */
static int clear_path(const struct sockaddr_un *address)
{
	struct stat st;
	int error = 0;
	int fd;

	if (lstat(address->sun_path, &st) != 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return UV_EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
		error = UV_EADDRINUSE;
	else if (unlink(address->sun_path) != 0)
		error = -errno;
	close(fd);
	return error;
}

/*
 * Binds a socket to the path; returns 0 or libuv's error. uv_pipe_bind() is not used, because
 * closing its handle removes the path, even if it is another daemon's by then.
 */
static int bind_path(struct socket_file *file, const struct sockaddr_un *address, int *fd)
{
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0)
		return -errno;
	if (bind(*fd, (const struct sockaddr *)address, sizeof(*address)) == 0) {
		file->path = mem_strdup(address->sun_path);
		if (chmod(file->path, 0660) == 0 && lstat(file->path, &file->made) == 0)
			return 0;
	}
	return -errno;
}

int socket_file_make(struct socket_file *file, const char *path, int *fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int error;

	*fd = -1;
	if (strlen(path) >= sizeof(address.sun_path))
		return UV_ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	error = clear_path(&address);
	if (error == 0)
		error = bind_path(file, &address, fd);
	if (error != 0 && *fd >= 0) {
		close(*fd);
		*fd = -1;
	}
	return error;
}

void socket_file_remove(struct socket_file *file)
{
	struct stat now;

	if (file->path != NULL && lstat(file->path, &now) == 0 &&
	    now.st_ino == file->made.st_ino && now.st_dev == file->made.st_dev)
		(void)unlink(file->path);
	free(file->path);
	file->path = NULL;
}
