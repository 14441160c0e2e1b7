/* Leaving the terminal, while whoever started us still learns how the start went. */
#pragma once

/*
 * Goes on in a child of its own session; the parent waits until that says how
 * its start went, and exits with that status. The child's way to say so is
 * returned (a descriptor, closed on exec); -1 and errno when there is no child.
 * Call with one thread.
 */
int detach(void);

/* Tells the parent the exit status, 0: up. From then on stdio is /dev/null. Closes `fd`. */
void detach_report(int fd, int status);
