/*
 * How many descriptors the process may have. The soft limit of a login (1,024 as a
 * rule) is too small for many nodes, and nothing of ours breaks with more: it is
 * raised to the hard one. Programs that we start get the limits that we were started
 * with: some close or select() all that there could be.
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
