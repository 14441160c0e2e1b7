/*
 * What the window's thread asks the monitor's: how it comes that a node is where it is. Only the monitor's thread can
 * say that. The answer comes as a note; who does not get one in time is told so.
 */
#pragma once

#include <stdatomic.h>

struct asking {
	struct asking *next;
	unsigned long number;
	char *node; /* "host:port" */
};

struct askings {
	_Atomic(struct asking *) asked; /* the last one first */
};

/* Window thread; copies the name. The caller wakes the monitor's loop. */
void asking_put(struct askings *askings, unsigned long number, const char *node);

/* All that were asked, the caller's to free, the oldest first; each `next` leads on. Monitor thread. */
struct asking *asking_take(struct askings *askings);
void asking_free(struct asking **asking);
