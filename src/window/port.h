/*
 * A port is an address at which the window listens. The monitor's thread makes it, because an address that is in use
 * must refuse the reload; the window's thread accepts there. References are atomic: the last holder closes the port and
 * removes its socket file.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "system/socket_file.h"

struct port {
	atomic_uint references;
	char *text; /* as configured: "127.0.0.1:8008", "[::1]:8008", "/path.sock" */
	int fd;     /* a listening socket that does not block */
	struct socket_file file;
};

/*
 * Listens at the address. On failure returns NULL and sets `*error` to libuv's error (UV_EINVAL: the text is no such
 * address). `former` (NULL: none) is a port of ours of the same number that is about to be closed: with it
 * 127.0.0.1:8008 can become 0.0.0.0:8008.
 */
struct port *port_new(const char *text, const struct port *former, int *error);
struct port *port_ref(struct port *port);

/* Accepts NULL, and clears the pointer. */
void port_unref(struct port **port);

/* Whether both are TCP ports of one number. */
bool port_has_number_of(const struct port *port, const char *text);
