/* What the kernel knows of a socket's other end. Any thread. */
#pragma once

#include <stdbool.h>

/* Whether the socket's connect was answered and the connection stands; false also if it is no TCP socket. */
bool tcp_is_established(int fd);

/*
 * Whether the other end has not acknowledged all that was sent. The kernel of a frozen program acknowledges it, a host
 * that is gone does not.
 */
bool tcp_is_unacknowledged(int fd);
