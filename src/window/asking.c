#include "window/asking.h"

#include <stdlib.h>

#include "base/mem.h"

void asking_put(struct askings *askings, unsigned long number, const char *node)
{
	struct asking *asking = mem_zalloc(1, sizeof(*asking));
	struct asking *last = atomic_load(&askings->asked);

	asking->number = number;
	asking->node = mem_strdup(node);
	do {
		asking->next = last;
	} while (!atomic_compare_exchange_weak(&askings->asked, &last, asking));
}

struct asking *asking_take(struct askings *askings)
{
	struct asking *newest = atomic_exchange(&askings->asked, NULL);
	struct asking *oldest = NULL;

	while (newest != NULL) {
		struct asking *next = newest->next;

		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	return oldest;
}

void asking_free(struct asking **asking)
{
	free((*asking)->node);
	free(*asking);
	*asking = NULL;
}
