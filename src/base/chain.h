/*
 * A queue on which no thread ever waits: any thread puts links in, and one thread takes all of them at once, by an
 * atomic exchange of pointers. A link is the first member of the struct that is passed on.
 */
#pragma once

#include <stdatomic.h>

struct link {
	struct link *next;
};

/* Zero-initialised: empty. */
struct chain {
	_Atomic(struct link *) last;
};

void chain_put(struct chain *chain, struct link *link);

/* Returns all links that were put since the last call, the oldest first, joined by `next`; NULL: there are none. */
struct link *chain_take(struct chain *chain);
