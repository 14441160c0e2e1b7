/*
 * The answer to "status" while it is rendered, a part at a time. It shows the nodes as they were when it was begun.
 * Monitor's loop.
 */
#pragma once

#include "base/json.h"
#include "base/shared_text.h"
#include "core/board.h"

#define DRAFT_NODES 50 /* nodes in a part: some 100 us of work */

/* Zero-initialised: not begun. */
struct draft {
	bool begun;
	struct board_reader reader;
	struct buf text;
	struct json json;
	struct buf rest;
};

/*
 * Begins to render what `board` shows now. Takes over what is in `rest`: keys that follow behind the nodes, with a
 * comma before the first.
 */
void draft_begin(struct draft *draft, struct board *board, struct buf *rest);

/*
 * Renders the next part. NULL: there is more to do. Else it is the whole answer, a reference for the caller, and the
 * draft is not begun any more.
 */
struct shared_text *draft_part(struct draft *draft);

/* Drops what was rendered; does nothing to a draft that is not begun. */
void draft_drop(struct draft *draft);
