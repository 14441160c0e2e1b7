/*
 * Stops one thread, as a debugger does, and all others go on: freeze PID NAME. NAME is the thread's (its comm), or
 * "first": the one that runs main(). Says "held" when it stands, and lets it go when stdin ends.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static int is_called(const char *pid, const char *tid, const char *name)
{
	char path[512], comm[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/task/%s/comm", pid, tid);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (!fgets(comm, sizeof(comm), file))
		comm[0] = '\0';
	fclose(file);
	comm[strcspn(comm, "\n")] = '\0';
	return !strcmp(comm, name);
}

static pid_t find_thread(const char *pid, const char *name)
{
	char path[64];
	struct dirent *entry;
	pid_t found = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.' && is_called(pid, entry->d_name, name))
			found = atoi(entry->d_name);
	}
	return found;
}

int main(int argc, char **argv)
{
	int is_first = argc == 3 && !strcmp(argv[2], "first");
	pid_t tid = is_first ? atoi(argv[1]) : argc == 3 ? find_thread(argv[1], argv[2]) : 0;
	int status;
	char byte;

	if (tid == 0 || ptrace(PTRACE_SEIZE, tid, 0, 0) != 0 || ptrace(PTRACE_INTERRUPT, tid, 0, 0) != 0 ||
	    waitpid(tid, &status, __WALL) != tid) {
		perror("freeze");
		return 1;
	}
	printf("held\n");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	ptrace(PTRACE_DETACH, tid, 0, 0);
	return 0;
}
