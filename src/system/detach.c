#include "system/detach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Returns the status that the daemon reported; 1 if it ended without a report. */
static int await(int fd, pid_t child)
{
	unsigned char status;
	int how = 0;
	ssize_t n;

	do
		n = read(fd, &status, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		return status;
	while (waitpid(child, &how, 0) < 0 && errno == EINTR)
		continue;
	if (WIFSIGNALED(how))
		(void)fprintf(stderr, "plusmoin: ended by signal %d before it was up\n",
			      WTERMSIG(how));
	else
		(void)fprintf(stderr, "plusmoin: ended before it was up\n");
	return 1;
}

int detach(void)
{
	int pipe_fds[2];
	pid_t child;

	if (pipe2(pipe_fds, O_CLOEXEC) != 0)
		return -1;
	child = fork();
	if (child < 0) {
		int error = errno;

		close(pipe_fds[0]);
		close(pipe_fds[1]);
		errno = error;
		return -1;
	}
	if (child > 0) {
		close(pipe_fds[1]);
		_exit(await(pipe_fds[0], child));
	}
	close(pipe_fds[0]);
	(void)setsid();
	return pipe_fds[1];
}

void detach_report(int fd, int status)
{
	unsigned char byte = (unsigned char)status;
	int null;

	if (fd < 0)
		return;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int i = 0; null >= 0 && i <= STDERR_FILENO; i++)
		(void)dup2(null, i);
	if (null > STDERR_FILENO)
		close(null);
	if (write(fd, &byte, 1) != 1)
		errno = 0; /* the parent does not wait any more */
	close(fd);
}
