/* What the kernel knows of a socket's other end. Any thread. */
#pragma once

#include <stdbool.h>

/* Whether its connect was answered, and it stands. False of what is no TCP socket. */
bool tcp_is_established(int fd);

/* Whether the other end has not acknowledged all that was sent: a frozen program's kernel does, a host that is gone does not. */
bool tcp_is_unacknowledged(int fd);
