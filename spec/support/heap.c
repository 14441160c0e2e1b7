/*
 * To be preloaded: a thread of its own writes into the file $HEAP, ten times a second, how many bytes the program's
 * allocator has handed out and not got back, of all threads, and how many it holds in all, free ones too.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAUSE_US 100000

static void *tell(void *path)
{
	int out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	for (;;) {
		struct mallinfo2 info = mallinfo2();
		char line[64];
		int length = snprintf(line, sizeof(line), "%020zu %020zu\n", info.uordblks + info.hblkhd,
				      info.arena + info.hblkhd);

		if (pwrite(out, line, (size_t)length, 0) < 0)
			perror(path);
		usleep(PAUSE_US);
	}
	return NULL;
}

__attribute__((constructor)) static void begin(void)
{
	char *path = getenv("HEAP");
	sigset_t all, before;
	pthread_t thread;

	if (path == NULL || strcmp(program_invocation_short_name, "plusmoin") != 0)
		return; /* setpriv, which becomes the program */
	unsetenv("LD_PRELOAD"); /* the program's children are not watched */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&thread, NULL, tell, path) != 0)
		perror("heap");
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}
