/*
 * What the window's thread asks the monitor's: how it comes that a node is where it is. Only the monitor's thread can
 * say that. The answer comes as a note; who does not get one in time is told so.
 */
#pragma once

#include <stdatomic.h>

struct question {
	struct question *next;
	unsigned long number;
	char *node; /* "host:port", or its name */
};

struct questions {
	_Atomic(struct question *) asked; /* the last one first */
};

/* Window thread; copies the name. The caller wakes the monitor's loop. */
void questions_ask(struct questions *questions, unsigned long number, const char *node);

/* All that were asked, the caller's to free, the oldest first; each `next` leads on. Monitor thread. */
struct question *questions_take(struct questions *questions);
void question_free(struct question **question);
