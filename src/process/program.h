/*
 * Whether a program can be started, by looks alone: what `check` and the loader vouch for, and why a start
 * has failed, in words that say more than the kernel's (whose ENOENT is a missing file, a
 * missing interpreter, or one whose name ends in a carriage return).
 *
 * All of it blocks: a file may lie on a mount that hangs. In a program that ends soon, on a script
 * host's thread, or in the thread that started the program; never on a loop.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>

struct program_fault {
	char *words;
	char *cure; /* a line for a shell, or words; NULL: the words say it */
	bool sure;  /* it will not work; else it may */
	bool plain; /* the file that was named is not there, and errno says that as well */
};

/*
 * The paths that are tried for a program, in this order: itself where its name has a slash, else it in each
 * directory of our own PATH (without one: /bin:/usr/bin). NULL-terminated; for mem_free_strings().
 */
char **program_places(const char *name);

/* Whether the next place is tried when the exec of one has failed with this errno. No function: the child asks. */
#define PROGRAM_LOOKS_ON(error) \
	((error) == EACCES || (error) == ENOENT || (error) == ESTALE || (error) == ENOTDIR || \
	 (error) == ENODEV || (error) == ETIMEDOUT)

/*
 * Looks at a program as this user, started in the directory `cwd`, would meet it: the file, the directories above it, its
 * interpreter. NULL: nothing stands in its way; then `place` (may be NULL) is the path at which it
 * is found, the caller's to free.
 */
struct program_fault *program_look(const char *name, const char *cwd, char **place);

/* NULL allowed; clears the pointer. */
void program_fault_free(struct program_fault **fault);

/* Why a start has failed, for people: the errno's words, and what looks at the program add. The caller frees it. */
char *program_why(const char *name, const char *cwd, int error);
