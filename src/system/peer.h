/* Who is at the other end of a Unix socket, as the kernel says. Any thread. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct peer {
	pid_t pid; /* 0: none that can be seen from here */
	uid_t uid; /* (uid_t)-1: not known */
};

/* Of a connected socket: who it was when it connected. */
struct peer peer_of(int fd);

/* Whether it has closed its socket, and not only the half that it writes to: nobody reads an answer. */
bool peer_has_hung_up(int fd);
