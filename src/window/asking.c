#include "window/asking.h"

#include <stdlib.h>

#include "base/mem.h"

void asking_put(struct chain *askings, unsigned long number, const char *node)
{
	struct asking *asking = mem_zalloc(1, sizeof(*asking));

	asking->number = number;
	asking->node = mem_strdup(node);
	chain_put(askings, &asking->link);
}

void asking_take_all(struct chain *askings, void (*look)(void *data, const struct asking *asking), void *data)
{
	struct link *link = chain_take(askings);

	while (link != NULL) {
		struct asking *asking = (struct asking *)link;

		link = link->next;
		if (look != NULL)
			look(data, asking);
		free(asking->node);
		free(asking);
	}
}
