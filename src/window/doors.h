/* Where the window accepts: a poll for each of its ports. Window thread. */
#pragma once

#include <sys/socket.h>
#include <uv.h>

#include "window/terms.h"

/* Somebody came; `fd`, which does not block, is the callee's. */
typedef void doors_came(void *data, int fd, const struct sockaddr *address, socklen_t size);

struct doors {
	uv_loop_t *loop;
	doors_came *came;
	void *data;
	struct list open; /* struct door * */
};

void doors_open(struct doors *doors, uv_loop_t *loop, doors_came *came, void *data);

/* Accepts at the ports of these terms (NULL: at none), and goes on at those that were open before. Takes references. */
void doors_take(struct doors *doors, const struct terms *terms);
