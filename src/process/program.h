/*
 * Whether a program can be started, found out by looking at it alone. `check` and the loader ask this before a start.
 * After a start that failed it says why, in words that say more than the kernel's (whose ENOENT is a missing file, a
 * missing interpreter, or one whose name ends in a carriage return).
 *
 * All of it blocks, because a file may lie on a mount that hangs. It is called in a command that ends soon, on a
 * script host's thread, or in the thread that started the program; never on a loop.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>

struct program_fault {
	char *words;
	char *cure; /* what mends it: a line for a shell, or words; NULL: `words` say it */
	bool sure;  /* the program cannot be started; else it may be */
	bool plain; /* the file that was named is not there, and errno says that as well */
};

/*
 * Returns the paths that are tried for a program, in this order: the name itself if it has a slash, else the name in
 * each directory of our own PATH (without one: /bin:/usr/bin). NULL-terminated; mem_free_strings() frees it.
 */
char **program_places(const char *name);

/* Whether the next place is tried after an exec failed with this errno. A macro, as a child that shares memory asks. */
#define PROGRAM_LOOKS_ON(error) \
	((error) == EACCES || (error) == ENOENT || (error) == ESTALE || (error) == ENOTDIR || \
	 (error) == ENODEV || (error) == ETIMEDOUT)

/*
 * Looks at what this user would meet who starts the program in the directory `cwd`: the file, the directories above it,
 * its interpreter. Returns what stands in the way, or NULL; then sets `place` (may be NULL) to the path at which the
 * program is found, which the caller frees.
 */
struct program_fault *program_look(const char *name, const char *cwd, char **place);

/* NULL allowed; clears the pointer. */
void program_fault_free(struct program_fault **fault);

/* Returns why a start has failed, for people: the errno's words, and what a look adds to them. The caller frees it. */
char *program_why(const char *name, const char *cwd, int error);
