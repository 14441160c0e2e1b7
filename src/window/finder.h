/*
 * Finds a node of a board by what people call it: its "host:port", or its name. The index is made when it is first
 * needed, and anew when a node is elsewhere than it says. Window thread.
 */
#pragma once

#include "core/board.h"

#define FINDER_NEAR 3 /* names that are told where none is right */

struct finder_entry;

/* Zero-initialised: no index yet. Ended by finder_free(). */
struct finder {
	struct finder_entry *entries; /* open addressing, a power of two */
	size_t size;
};

/*
 * The node of that name, NULL: there is none, or (`*several`) more than one has it as its name. Lives as long as the
 * board.
 */
const struct node_view *finder_find(struct finder *finder, const struct board *board, const char *name, bool *several);

/* Adds the names that are most like `name` to the text: "db1, db2:5432"; false: none is like it. */
bool finder_add_near(const struct board *board, const char *name, struct buf *out);
void finder_free(struct finder *finder);
