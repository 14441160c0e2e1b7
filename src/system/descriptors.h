/*
 * How many descriptors the process may have, and for what.
 *
 * The soft limit of a login (1,024 as a rule) is too small for many nodes, so plusmoin raises it
 * to the hard one. Programs that it starts get the limit with which it was started, because some
 * of them close or select() all descriptors that there could be.
 *
 * The descriptors with the greatest numbers are a reserve, which connections to nodes do not take:
 * with none left no trigger starts and `status` does not answer, just when many nodes are down.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

/* Raises the soft limit to the hard one. Called once, while the process has one thread. */
void descriptors_raise(void);

/* Sets the limit for programs that are started; false: they inherit ours. Any thread. */
bool descriptors_of_children(struct rlimit *limit);

/* Returns how many descriptors the process may have. Any thread. */
size_t descriptors_limit(void);

/* Returns how many it has; the limit if none is left to count them with. Reads a directory of /proc. Any thread. */
size_t descriptors_used(void);

/* Sets the reserve, for so many commands at once and so many descriptors of the window. Any thread. */
void descriptors_reserve(int commands, int window);

/* Returns about how many nodes can be watched. Any thread. */
size_t descriptors_fit(void);

/*
 * Whether the number of a new descriptor is among the last ones: the part of the reserve for triggers, files and
 * answers of the control socket, which clients of the window do not take. Any thread.
 */
bool descriptors_is_last(int fd);

/* Whether only the reserve is left; then no connection to a node is begun. Any thread. */
bool descriptors_are_scarce(void);
