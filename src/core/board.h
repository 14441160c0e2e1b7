/*
 * The board: one immutable picture (view) of each cluster and one of the clusterless nodes, as they
 * were when it was brought up to date. The status file, events, pm.cluster() and the control socket
 * share them. A picture is made anew only when what it shows has changed, and changing one costs the
 * same however many others there are: pictures lie in pages, and whoever holds the board keeps the
 * pages that it had.
 *
 * Counted atomically: any thread may hold a board, read it and drop it; the monitor's thread alone
 * brings one up to date, and gives others their references.
 */
#pragma once

#include "core/view.h"

#define BOARD_PAGE 64 /* clusters */

struct board_page {
	atomic_uint references;
	int first_id; /* of the cluster in views[0] */
	size_t count; /* how many are not NULL */
	struct view *views[BOARD_PAGE];
	/* The status file's text of these clusters; NULL: not rendered since the page changed. Monitor thread alone. */
	char *text;
	size_t text_bytes;
};

struct board {
	atomic_uint references;
	unsigned long generation; /* a new number after each change */
	struct board_page **pages; /* by first_id */
	size_t page_count;
	size_t cluster_count;
	size_t slaves; /* of all clusters */
	size_t lost;
	struct view *clusterless;
};

/* Makes a board without clusters and nodes, with one reference, the caller's. */
struct board *board_new(void);
struct board *board_ref(struct board *board);

/* NULL allowed; clears the pointer. */
void board_unref(struct board **board);

/*
 * Replaces the picture of the view's cluster, or of the clusterless nodes, by `view`, of which it takes a
 * reference. If others hold the board too, `*board` becomes a copy and theirs stays as it was.
 */
void board_put(struct board **board, struct view *view);

/* Brings the board up to date: looks only at what fleet_touch() and node_touch() have named since the last time. */
void board_update(struct board **board, struct fleet *fleet);

/* Returns the picture of that cluster, which the board owns; NULL: there is none. */
struct view *board_find(const struct board *board, int cluster_id);

/* The picture of the cluster with the lowest id above `after` (begin with -1); NULL: no more. */
struct view *board_next(const struct board *board, int after);

/* Appends the status file, with exactly the seed's keys. The text of a page that has not changed is copied. */
void board_render(const struct board *board, struct buf *out);

/*
 * Writes the control socket's `"clusters":[...],"clusterless":[...]`, with all that is known of a node, into an open
 * object, in parts. It holds the board, so it does not see what changes meanwhile. One thread uses a reader.
 */
struct board_reader {
	struct board *board; /* a reference */
	struct view_walk walk; /* through the picture that is being written; its view is NULL when all is written */
};

void board_read_begin(struct board_reader *reader, struct board *board, struct json *json);

/* Writes up to `nodes` (> 0) more nodes, of at most so many clusters; returns false when nothing was left to write. */
bool board_read(struct board_reader *reader, size_t nodes, struct json *json);

/* Drops the reader's reference: called once, at any time after board_read_begin(). */
void board_read_end(struct board_reader *reader);
