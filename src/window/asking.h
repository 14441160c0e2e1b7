/*
 * The questions (askings) of the window's thread to the monitor's: why a node is where it is. Only the monitor's thread
 * can say that. The answer comes back as a note (inbox.h). A client whose answer does not come in time is told so.
 */
#pragma once

#include "base/chain.h"

struct asking {
	struct link link;
	unsigned long number;
	char *node; /* "host:port" */
};

/* Adds a question, and copies the name. The caller then wakes the monitor's loop. Window thread. */
void asking_put(struct chain *askings, unsigned long number, const char *node);

/* Calls `look` (NULL: nothing) for each question, the oldest first, and frees it. Monitor thread. */
void asking_take_all(struct chain *askings, void (*look)(void *data, const struct asking *asking), void *data);
