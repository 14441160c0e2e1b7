/* Holds a lease of a file until it is ended: whoever opens the file waits. usage: leaser FILE */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDWR) : -1;

	if (fd < 0)
		return 1;
	(void)signal(SIGIO, SIG_IGN); /* somebody waits */
	while (fcntl(fd, F_SETLEASE, F_WRLCK) != 0) {
		if (errno != EAGAIN) {
			perror("lease");
			return 1;
		}
		usleep(1000); /* somebody has it open */
	}
	(void)puts("held");
	(void)fflush(stdout);
	for (;;)
		pause();
}
