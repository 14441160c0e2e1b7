/*
 * How many descriptors the process may have, and for what.
 *
 * The soft limit of a login (1,024 as a rule) is too small for many nodes, and nothing of ours
 * breaks with more: it is raised to the hard one. Programs that we start get the limits that we
 * were started with: some close or select() all that there could be.
 *
 * The last ones are a reserve that connections to nodes do not take: with none left no
 * trigger starts and `status` is silent, just when many nodes are down.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

/* Raises the soft limit to the hard one. Once, with one thread. */
void descriptors_raise(void);

/* The limit of programs that are started; false: they inherit ours. Any thread. */
bool descriptors_of_children(struct rlimit *limit);

/* How many there may be now. Any thread. */
size_t descriptors_limit(void);

/* How many there are; where none is left to count them with: the limit. It reads a directory of them. Any thread. */
size_t descriptors_used(void);

/* From now on so many commands may run at once, and the window may hold so many: the reserve is made for them.
 * Any thread. */
void descriptors_reserve(int commands, int window);

/* How many nodes can be watched, about. Any thread. */
size_t descriptors_fit(void);

/*
 * Whether the number of a new descriptor is among the last ones: those of the reserve that are for triggers, files and
 * answers of the control socket, which no client of the window takes. Any thread.
 */
bool descriptors_is_last(int fd);

/* Whether nothing but the reserve is left: no connection to a node is begun then. Any thread. */
bool descriptors_are_scarce(void);
