/*
 * A trigger for the tests of several monitors: appends a line to the file argv[1] as it starts: "start", the event's id,
 * the term, "rerun" or "-", the event's name, argv[2] (which of the event's commands it is), the cluster's id, ns
 * (monotonic), pid. Then it takes argv[3] ms (0), and appends "end" with the same words. O_APPEND: each line is one write.
 * With a further word it does not end by TERM.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const char *word(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : "-";
}

static int append(const char *path, const char *what, const char *which)
{
	char line[512];
	struct timespec ts;
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0644);
	int length;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	length = snprintf(line, sizeof(line), "%s %s %s %s %s %s %s %lld %d\n", what, word("PLUSMOIN_EVENT_ID"),
			  word("PLUSMOIN_TERM"), getenv("PLUSMOIN_RERUN") ? "rerun" : "-", word("PLUSMOIN_TRIGGER"), which,
			  word("PLUSMOIN_CLUSTER_ID"), ts.tv_sec * 1000000000LL + ts.tv_nsec, (int)getpid());
	if (fd < 0 || write(fd, line, (size_t)length) != length)
		return 1;
	return close(fd);
}

int main(int argc, char **argv)
{
	if (argc < 3 || append(argv[1], "start", argv[2]) != 0)
		return 1;
	if (argc > 4)
		signal(SIGTERM, SIG_IGN);
	if (argc > 3)
		usleep((useconds_t)atoi(argv[3]) * 1000);
	return append(argv[1], "end", argv[2]);
}
