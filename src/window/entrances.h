/* Accepts connections at the window's ports: an entrance watches one of them. Window thread. */
#pragma once

#include <sys/socket.h>
#include <uv.h>

#include "window/terms.h"

/* Is called for a new connection. The callee owns `fd`, which does not block. */
typedef void entrances_came(void *data, int fd, const struct sockaddr *address, socklen_t size);

struct entrances {
	uv_loop_t *loop;
	entrances_came *came;
	void *data;
	struct list open; /* struct entrance * */
};

void entrances_open(struct entrances *entrances, uv_loop_t *loop, entrances_came *came, void *data);

/*
 * Accepts at the ports of these terms alone (NULL: at none). Those that were open before stay open without a gap. Takes
 * references of the ports.
 */
void entrances_take(struct entrances *entrances, const struct terms *terms);
