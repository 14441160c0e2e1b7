/*
 * What the kernel's TCP counts of a connection. On its own, since <linux/tcp.h> and <netinet/tcp.h> exclude each
 * other and only the former knows the counters.
 */
#pragma once

/* Adds the segments with data that came and went so far; adds nothing where the kernel does not count them. */
void segments_add(int fd, unsigned long *in, unsigned long *out);
