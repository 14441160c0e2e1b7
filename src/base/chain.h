/*
 * A way from threads to another one that never waits: links are put in and all of them are taken at once, by exchanging
 * pointers. A link stands first in the struct that it is a link of. Putting: any thread; taking: one thread.
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

/* All that were put since the last call, the oldest first; each `next` leads on. NULL: none. */
struct link *chain_take(struct chain *chain);
