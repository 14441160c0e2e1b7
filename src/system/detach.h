/* Leaves the terminal, so that whoever started us still learns how the start went. */
#pragma once

/*
 * Goes on in a child with a session of its own; the parent waits until the child
 * reports how its start went, and exits with that status. Returns the descriptor
 * for detach_report() (closed on exec), or -1 and errno when there is no child.
 * Called while the process has one thread.
 */
int detach(void);

/* Tells the parent the exit status, 0: up. From then on stdio is /dev/null. Closes `fd`. */
void detach_report(int fd, int status);
