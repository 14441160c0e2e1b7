/* Where the window accepts: a poll for each of its ports. Window thread. */
#pragma once

#include <sys/socket.h>
#include <uv.h>

#include "window/terms.h"

/* Somebody came; `fd`, which does not block, is the callee's. */
typedef void entrances_came(void *data, int fd, const struct sockaddr *address, socklen_t size);

struct entrances {
	uv_loop_t *loop;
	entrances_came *came;
	void *data;
	struct list open; /* struct entrance * */
};

void entrances_open(struct entrances *entrances, uv_loop_t *loop, entrances_came *came, void *data);

/* Accepts at the ports of these terms (NULL: at none), and goes on at those that were open before. Takes references. */
void entrances_take(struct entrances *entrances, const struct terms *terms);
