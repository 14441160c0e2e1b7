#include "system/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/* Gives the file that we have just made and hold open to its owner; closes it. */
static bool give(int fd, mode_t mode, const struct identity *owner)
{
	bool done = fchmod(fd, mode) == 0 &&
		    (owner == NULL || fchown(fd, owner->uid, owner->gid) == 0);
	int error = errno;

	close(fd);
	errno = error;
	return done;
}

/* Makes `name` in the directory `parent`, which is opened once, so that nobody can exchange it meanwhile. */
static bool make_directory(const char *parent, const char *name, const struct identity *owner)
{
	int at = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool done = false;
	int error;
	int fd;

	if (at < 0)
		return false;
	if (mkdirat(at, name, 0755) == 0) {
		fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		done = fd >= 0 && give(fd, 0755, owner);
	} else {
		done = errno == EEXIST;
	}
	error = errno;
	close(at);
	errno = error;
	return done;
}

bool directory_make_of(const char *path, const struct identity *owner)
{
	char *dir = mem_strdup(path);
	char *slash = strrchr(dir, '/');
	bool done = true;

	struct stat st;

	if (slash != NULL && slash != dir) {
		char *name;

		*slash = '\0';
		name = strrchr(dir, '/');
		if (name != NULL && stat(dir, &st) != 0) {
			char *parent = mem_strndup(dir, name > dir ? (size_t)(name - dir) : 1);

			done = make_directory(parent, name + 1, owner);
			free(parent);
		}
	}
	free(dir);
	return done;
}

bool directory_make_file(const char *path, mode_t mode, const struct identity *owner)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

	if (fd < 0)
		return errno == EEXIST;
	return give(fd, mode, owner);
}

bool directory_is_for_daemons(const char *path)
{
	static const char *const places[] = { "/run", "/var/run", "/var/log", "/var/lib" };
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	size_t len = slash != NULL ? (size_t)(slash - path) : 0;

	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (strlen(places[i]) == len && strncmp(path, places[i], len) == 0)
			return true;
	}
	return false;
}

char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return mem_strdup(".");
	return mem_strndup(path, slash > path ? (size_t)(slash - path) : 1);
}

char *directory_absolute(const char *path)
{
	char cwd[PATH_MAX];

	if (path[0] == '/')
		return mem_strdup(path);
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		return NULL;
	return mem_printf("%s/%s", strcmp(cwd, "/") == 0 ? "" : cwd, path);
}
