/*
 * What the window's thread asks the monitor's: how it comes that a node is where it is. Only the monitor's thread can
 * say that. The answer comes as a note; who does not get one in time is told so.
 */
#pragma once

#include "base/chain.h"

struct asking {
	struct link link;
	unsigned long number;
	char *node; /* "host:port" */
};

/* Window thread; copies the name. The caller wakes the monitor's loop. */
void asking_put(struct chain *askings, unsigned long number, const char *node);

/* Goes through all that were asked, the oldest first; each is freed after `look` (NULL: nothing looks). Monitor thread. */
void asking_take_all(struct chain *askings, void (*look)(void *data, const struct asking *asking), void *data);
