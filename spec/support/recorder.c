/*
 * A trigger for the tests: writes one file per run into the directory argv[1],
 * complete or not at all (tmp + rename). First the times it was started at
 * (ns, monotonic and epoch) and its process and group, then its PLUSMOIN_*
 * environment, an empty line, and what came on stdin.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static long long now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

int main(int argc, char **argv)
{
	long long mono = now_ns(CLOCK_MONOTONIC);
	long long epoch = now_ns(CLOCK_REALTIME);
	char path[512], done[512], data[65536];
	ssize_t length;
	FILE *out;

	if (argc < 2)
		return 2;
	snprintf(path, sizeof(path), "%s/tmp.%d", argv[1], (int)getpid());
	snprintf(done, sizeof(done), "%s/%020lld-%d.event", argv[1], mono, (int)getpid());
	out = fopen(path, "w");
	if (!out)
		return 1;
	fprintf(out, "mono_ns=%lld\nepoch_ns=%lld\npid=%d\npgid=%d\n", mono, epoch, (int)getpid(), (int)getpgrp());
	for (char **entry = environ; *entry; entry++)
		if (!strncmp(*entry, "PLUSMOIN_", 9))
			fprintf(out, "%s\n", *entry);
	fputc('\n', out);
	while ((length = read(STDIN_FILENO, data, sizeof(data))) > 0)
		fwrite(data, 1, (size_t)length, out);
	return fclose(out) || rename(path, done);
}
