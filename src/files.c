#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static pid_t read_pid(int fd)
{
	char text[32] = { 0 };

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		return 0;
	return (pid_t)strtol(text, NULL, 10);
}

/* Whether `fd` is still the file that `path` names: its owner may just have removed it. */
static bool is_current(const char *path, int fd)
{
	struct stat there;
	struct stat here;

	return stat(path, &there) == 0 && fstat(fd, &here) == 0 && there.st_ino == here.st_ino &&
	       there.st_dev == here.st_dev;
}

int pid_file_lock(const char *path, pid_t *owner)
{
	char text[32];
	int fd;

	*owner = -1;
	for (;;) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
		if (fd < 0)
			return -1;
		if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			if (errno == EWOULDBLOCK)
				*owner = read_pid(fd);
			close(fd);
			return -1;
		}
		if (is_current(path, fd))
			break;
		close(fd);
	}
	(void)snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, strlen(text), 0) != (ssize_t)strlen(text)) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

void pid_file_release(const char *path, int fd)
{
	if (unlink(path) != 0 && ftruncate(fd, 0) != 0)
		perror(path);
	close(fd);
}
