#include "window/picture.h"

#include <stdlib.h>

#include "base/mem.h"

struct picture *picture_new(struct board *board)
{
	struct picture *picture = mem_zalloc(1, sizeof(*picture));

	atomic_init(&picture->references, 1);
	picture->board = board_ref(board);
	return picture;
}

struct picture *picture_ref(struct picture *picture)
{
	atomic_fetch_add(&picture->references, 1);
	return picture;
}

void picture_unref(struct picture **picture_p)
{
	struct picture *picture = *picture_p;

	*picture_p = NULL;
	if (picture == NULL || atomic_fetch_sub(&picture->references, 1) > 1)
		return;
	board_unref(&picture->board);
	free(picture);
}
