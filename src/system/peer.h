/* Who is at the other end of a Unix socket, as the kernel says. Any thread. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct peer {
	pid_t pid; /* 0: its process cannot be seen from here (another namespace) */
	uid_t uid; /* (uid_t)-1: not known */
};

/* Returns who is at the other end of a connected socket, as it was when it connected. */
struct peer peer_of(int fd);

/* Whether the peer has closed its socket, not only the half to which it writes, so that nobody reads an answer. */
bool peer_has_hung_up(int fd);
