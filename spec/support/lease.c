/*
 * Holds a write lease on the file argv[1] and does not give it back when somebody opens or executes
 * the file: whoever does hangs, as on a mount that does not answer, until this process ends (or for
 * /proc/sys/fs/lease-break-time, 45 s). Says "held" when it stands.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd = argc > 1 ? open(argv[1], O_RDWR) : -1;

	if (fd < 0) {
		perror(argc > 1 ? argv[1] : "lease FILE");
		return 1;
	}
	(void)signal(SIGIO, SIG_IGN); /* somebody waits */
	while (fcntl(fd, F_SETLEASE, F_WRLCK) != 0) {
		if (errno != EAGAIN) {
			perror("lease");
			return 1;
		}
		usleep(1000); /* somebody has it open */
	}
	puts("held");
	fflush(stdout);
	for (;;)
		pause();
}
