/*
 * To be preloaded: appends a line with the path of each file that is synced to the file $SYNCS.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int fsync(int fd)
{
	char link[64], path[4096];
	const char *syncs = getenv("SYNCS");
	ssize_t length;
	int out;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	out = syncs != NULL && length > 0 ? open(syncs, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
	if (out >= 0) {
		path[length++] = '\n';
		if (write(out, path, (size_t)length) < 0)
			perror(syncs);
		close(out);
	}
	return (int)syscall(SYS_fsync, fd);
}
