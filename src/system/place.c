#include "system/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/* Gives what we just made, and hold open, to its owner. */
static bool give(int fd, mode_t mode, const struct identity *owner)
{
	bool done = fchmod(fd, mode) == 0 &&
		    (owner == NULL || fchown(fd, owner->uid, owner->gid) == 0);
	int error = errno;

	close(fd);
	errno = error;
	return done;
}

static bool make_directory(const char *dir, const struct identity *owner)
{
	int fd;

	if (mkdir(dir, 0755) != 0)
		return errno == EEXIST;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && give(fd, 0755, owner);
}

bool place_directory_of(const char *path, const struct identity *owner)
{
	char *dir = mem_strdup(path);
	char *slash = strrchr(dir, '/');
	bool done = true;

	if (slash != NULL && slash != dir) {
		*slash = '\0';
		done = make_directory(dir, owner);
	}
	free(dir);
	return done;
}

bool place_file(const char *path, mode_t mode, const struct identity *owner)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

	if (fd < 0)
		return errno == EEXIST;
	return give(fd, mode, owner);
}

char *place_absolute(const char *path)
{
	char *cwd;
	char *absolute;

	if (path[0] == '/')
		return mem_strdup(path);
	cwd = getcwd(NULL, 0);
	if (cwd == NULL)
		return NULL;
	absolute = mem_printf("%s/%s", strcmp(cwd, "/") == 0 ? "" : cwd, path);
	free(cwd);
	return absolute;
}
