#include "system/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/directory.h"

#define LOOKS 10
#define LOOK_US 5000

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

/* Whether the file is empty, or holds only digits and white space. Any other file is not ours to overwrite. */
static bool is_pid_file(int fd, const struct identity *owner)
{
	char text[64];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > (off_t)sizeof(text) ||
	    st.st_nlink > 1 || (owner != NULL && st.st_uid != 0 && st.st_uid != owner->uid))
		return false;
	n = pread(fd, text, sizeof(text), 0);
	for (ssize_t i = 0; i < n; i++) {
		if (strchr("0123456789 \t\n", text[i]) == NULL || text[i] == '\0')
			return false;
	}
	return n >= 0;
}

/* Tries several times, because `stop` and `reload` hold the lock for a moment when they look whether a daemon does. */
static bool lock(int fd)
{
	for (int i = 0; i < LOOKS; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		if (errno != EWOULDBLOCK || read_pid(fd) > 0)
			return false;
		usleep(LOOK_US);
	}
	return false;
}

int pidfile_lock(const char *path, const struct identity *owner, pid_t *holder)
{
	int fd;

	*holder = -1;
	for (;;) {
		if (!directory_make_file(path, 0644, owner))
			return -1;
		fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0 && errno == ENOENT)
			continue; /* removed in between by its owner */
		if (fd < 0)
			return -1;
		if (!lock(fd)) {
			if (errno == EWOULDBLOCK)
				*holder = read_pid(fd);
			close(fd);
			return -1;
		}
		if (is_current(path, fd))
			break;
		close(fd);
	}
	if (!is_pid_file(fd, owner))
		errno = EEXIST;
	else if (ftruncate(fd, 0) == 0)
		return fd;
	close(fd);
	return -1;
}

bool pidfile_write(int fd)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	return pwrite(fd, text, strlen(text), 0) == (ssize_t)strlen(text);
}

void pidfile_release(const char *path, int fd)
{
	if ((!is_current(path, fd) || unlink(path) != 0) && ftruncate(fd, 0) != 0)
		perror(path);
	close(fd);
}

/*
 * Whoever can write the file could name any process in it. So returns the pid only if that
 * process belongs to the file's owner, or if the file is root's; else 0.
 */
static pid_t believed(int fd, pid_t pid)
{
	struct stat file;
	struct stat process;
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/%ld", (long)pid);
	if (pid <= 0 || fstat(fd, &file) != 0 || file.st_uid == 0 || stat(path, &process) != 0 ||
	    process.st_uid == file.st_uid)
		return pid;
	return 0;
}

pid_t pidfile_holder(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	pid_t pid = -1;
	int error = 0;

	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_SH | LOCK_NB) == 0)
		(void)flock(fd, LOCK_UN);
	else if (errno == EWOULDBLOCK)
		pid = believed(fd, read_pid(fd));
	else
		error = errno;
	close(fd);
	errno = error;
	return pid;
}
