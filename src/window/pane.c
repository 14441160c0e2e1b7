#include "window/pane.h"

#include <stdlib.h>

#include "base/mem.h"

struct pane *pane_new(struct board *board)
{
	struct pane *pane = mem_zalloc(1, sizeof(*pane));

	atomic_init(&pane->references, 1);
	pane->board = board_ref(board);
	return pane;
}

struct pane *pane_ref(struct pane *pane)
{
	atomic_fetch_add(&pane->references, 1);
	return pane;
}

void pane_unref(struct pane **pane_p)
{
	struct pane *pane = *pane_p;

	*pane_p = NULL;
	if (pane == NULL || atomic_fetch_sub(&pane->references, 1) > 1)
		return;
	board_unref(&pane->board);
	free(pane->stand);
	free(pane);
}
