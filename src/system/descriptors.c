#include "system/descriptors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MOST ((size_t)1 << 20)

/* What the reserve is made of. */
#define OF_COMMAND 4     /* pipes of one command */
#define KINDS_OF_SLOTS 2 /* each kind of slots runs so many commands */
#define OTHERS 160 /* 64 clients of the control socket, 32 look-ups, files, log, functions in Lua */

/* What is used neither by the reserve nor by kept connections: loops, log, socket, fresh connections. */
#define OWN 48

static struct {
	bool raised;
	struct rlimit before;
	atomic_int commands;
	atomic_int window;
} descriptors = { .commands = 16 };

void descriptors_raise(void)
{
	struct rlimit more;

	if (descriptors.raised || getrlimit(RLIMIT_NOFILE, &descriptors.before) != 0)
		return;
	more = descriptors.before;
	more.rlim_cur = more.rlim_max;
	descriptors.raised = more.rlim_cur != descriptors.before.rlim_cur &&
			     setrlimit(RLIMIT_NOFILE, &more) == 0;
}

bool descriptors_of_children(struct rlimit *limit)
{
	*limit = descriptors.before;
	return descriptors.raised;
}

size_t descriptors_limit(void)
{
	struct rlimit now;

	if (getrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur > MOST)
		return MOST;
	return (size_t)now.rlim_cur;
}

size_t descriptors_used(void)
{
	int fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* TSan does not see that opendir() opens */
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	size_t count = 0;

	if (fd < 0)
		return errno == EMFILE || errno == ENFILE ? descriptors_limit() : 0;
	if (directory == NULL) {
		(void)close(fd);
		return 0;
	}
	while (readdir(directory) != NULL)
		count++;
	(void)closedir(directory);
	return count > 3 ? count - 3 : 0; /* ".", ".." and the directory's own */
}

void descriptors_reserve(int commands, int window)
{
	atomic_store(&descriptors.commands, commands);
	atomic_store(&descriptors.window, window);
}

/* Returns the size of the reserve without the window's part: at most a quarter of the limit. */
static size_t last_ones(size_t limit)
{
	size_t wanted = (size_t)atomic_load(&descriptors.commands) * OF_COMMAND * KINDS_OF_SLOTS + OTHERS;

	return wanted < limit / 4 ? wanted : limit / 4;
}

/* Returns the size of the whole reserve: at most half of the limit. */
static size_t reserve(size_t limit)
{
	size_t wanted = (size_t)atomic_load(&descriptors.commands) * OF_COMMAND * KINDS_OF_SLOTS +
			(size_t)atomic_load(&descriptors.window) + OTHERS;

	return wanted < limit / 2 ? wanted : limit / 2;
}

size_t descriptors_fit(void)
{
	size_t limit = descriptors_limit();
	size_t taken = reserve(limit) + OWN;

	return limit > taken ? limit - taken : 0;
}

bool descriptors_is_last(int fd)
{
	size_t limit = descriptors_limit();

	return (size_t)fd >= limit - last_ones(limit);
}

/* A new descriptor gets the lowest free number, so a number in the reserve shows that all others are used. */
bool descriptors_are_scarce(void)
{
	size_t limit = descriptors_limit();
	int fd = eventfd(0, EFD_CLOEXEC);

	if (fd < 0)
		return errno == EMFILE || errno == ENFILE;
	(void)close(fd);
	return (size_t)fd >= limit - reserve(limit);
}
