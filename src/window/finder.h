/*
 * Finds a node of a board by its "host:port" or its name. The finder makes an index of the names when it first needs
 * one, and again when the index is wrong about a node. Window thread.
 */
#pragma once

#include "core/board.h"

#define FINDER_NEAR 3 /* how many similar names are listed for an unknown one */

struct finder_entry;

/* Zero-initialised: no index yet. Ended by finder_free(). */
struct finder {
	struct finder_entry *entries; /* open addressing, a power of two */
	size_t size;
};

/*
 * Returns the node of that name, which lives as long as the board. NULL: there is none, or, with `*several`, more than
 * one node has that name.
 */
const struct node_view *finder_find(struct finder *finder, const struct board *board, const char *name, bool *several);

/* Adds the names that are most similar to `name` to the text: "db1, db2:5432". Returns false where none is. */
bool finder_add_near(const struct board *board, const char *name, struct buf *out);
void finder_free(struct finder *finder);
