#include "base/chain.h"

#include <stddef.h>

void chain_put(struct chain *chain, struct link *link)
{
	struct link *last = atomic_load(&chain->last);

	do {
		link->next = last;
	} while (!atomic_compare_exchange_weak(&chain->last, &last, link));
}

struct link *chain_take(struct chain *chain)
{
	struct link *newest = atomic_exchange(&chain->last, NULL);
	struct link *oldest = NULL;

	while (newest != NULL) {
		struct link *next = newest->next;

		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	return oldest;
}
