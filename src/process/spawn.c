#include "process/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "process/program.h"
#include "system/descriptors.h"

#define STACK_BYTES ((size_t)64 << 10)
#define KERNEL_SIGNALS 64
#define KERNEL_SIGSET_BYTES 8

/*
 * The child shares our memory until its exec. So it makes system calls and nothing else, and the
 * sanitizers must not look at it, because they would take what it does for what we do.
 */
#define SHARES_MEMORY \
	__attribute__((no_sanitize("address"), no_sanitize("thread"), no_sanitize("undefined")))

/* glibc's other name for clone(), which is used because ThreadSanitizer's own clone() takes the child for a fork. */
int __clone(int (*fn)(void *), void *stack, int flags, void *arg, ...); // NOLINT(bugprone-reserved-identifier)

struct start {
	const struct spawn_what *what;
	char **programs; /* to be tried, in this order; NULL-terminated */
	struct rlimit files;
	bool has_files;
	long most; /* how many descriptors we may have */
	int error; /* errno of what failed in the child; 0: nothing did */
	bool no_directory;
};

/* Sets all dispositions to their defaults, and unblocks all signals. */
SHARES_MEMORY static void default_signals(void)
{
	static const unsigned long nothing[16]; /* of the kernel's struct sigaction: SIG_DFL */

	for (long number = 1; number <= KERNEL_SIGNALS; number++)
		(void)syscall(SYS_rt_sigaction, number, nothing, NULL, (size_t)KERNEL_SIGSET_BYTES);
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, nothing, NULL, (size_t)KERNEL_SIGSET_BYTES);
}

/* Closes all descriptors from 3 on; one by one in a sandbox that does not know close_range. */
SHARES_MEMORY static void close_others(const struct start *start)
{
	if (syscall(SYS_close_range, 3U, ~0U, 0U) == 0)
		return;
	for (long fd = 3; fd < start->most; fd++)
		(void)syscall(SYS_close, fd);
}

SHARES_MEMORY static bool set_up(struct start *start)
{
	const struct spawn_ends *ends = &start->what->ends;

	if (syscall(SYS_setpgid, 0L, 0L) != 0)
		return false;
	if (syscall(SYS_chdir, start->what->cwd) != 0) {
		start->no_directory = true;
		return false;
	}
	if (syscall(SYS_dup3, ends->in, STDIN_FILENO, 0) < 0 ||
	    syscall(SYS_dup3, ends->out, STDOUT_FILENO, 0) < 0 ||
	    syscall(SYS_dup3, ends->err, STDERR_FILENO, 0) < 0)
		return false;
	close_others(start);
	return !start->has_files ||
	       syscall(SYS_prlimit64, 0L, RLIMIT_NOFILE, &start->files, NULL) == 0;
}

SHARES_MEMORY static int in_child(void *data)
{
	struct start *start = data;
	bool denied = false;
	bool ready;

	default_signals();
	ready = set_up(start);
	for (char **program = start->programs; ready && *program != NULL; program++) {
		(void)syscall(SYS_execve, *program, start->what->argv, start->what->environment);
		denied = denied || errno == EACCES;
		if (!PROGRAM_LOOKS_ON(errno))
			ready = denied = false;
	}
	start->error = denied ? EACCES : errno;
	(void)syscall(SYS_exit_group, 127L);
	return 0;
}

int spawn_process(const struct spawn_what *what, atomic_int *pid, bool *no_directory)
{
	struct start start = { .what = what };
	char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (stack == MAP_FAILED)
		return errno;
	start.programs = program_places(what->argv[0]);
	start.has_files = descriptors_of_children(&start.files);
	start.most = (long)descriptors_limit();
	/* CLONE_VFORK: it returns when the child has left our memory, by exec or exit */
	if (__clone(in_child, stack + STACK_BYTES,
		    CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | SIGCHLD, &start, (int *)pid) < 0)
		start.error = errno;
	mem_free_strings(start.programs);
	(void)munmap(stack, STACK_BYTES);
	*no_directory = start.no_directory;
	return start.error;
}
