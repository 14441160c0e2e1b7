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
	char *text; /* as the status file has them, with commas between; NULL: not rendered since it changed. */
	size_t text_bytes; /* Both are of who renders the board: the monitor's thread. */
};

struct board {
	atomic_uint references;
	unsigned long generation; /* another one after each change */
	struct board_page **pages; /* by first_id */
	size_t page_count;
	size_t cluster_count;
	size_t slaves; /* of all clusters */
	size_t lost;
	struct view *clusterless;
};

/* One without clusters and nodes. */
struct board *board_new(void);
struct board *board_ref(struct board *board);

/* NULL allowed; clears the pointer. */
void board_unref(struct board **board);

/*
 * Puts a picture (of which it takes a reference) in the place of the one of the same cluster, or of
 * the clusterless nodes. Who else holds the board keeps it as it was: `*board` is another one then.
 */
void board_put(struct board **board, struct view *view);

/* Brings the board up to date: looks at what fleet_touch() has named since, and at nothing else. */
void board_update(struct board **board, struct fleet *fleet);

/* The picture of that cluster, NULL: there is none. The board's. */
struct view *board_find(const struct board *board, int cluster_id);

/* The picture of the cluster with the lowest id above `after` (begin with -1); NULL: no more. */
struct view *board_next(const struct board *board, int after);

/* The status file: exactly the seed's keys. Of pages that have not changed since the last time the text is copied. */
void board_render(const struct board *board, struct buf *out);

/*
 * The control socket's `"clusters":[...],"clusterless":[...]`, with all that is known of a node, into an open object,
 * in parts: what changes meanwhile is another board's. Of one thread.
 */
struct board_reader {
	struct board *board; /* a reference */
	struct view_walk walk; /* through the picture that is under way; its view NULL: all is written */
};

void board_read_begin(struct board_reader *reader, struct board *board, struct json *json);

/* Writes up to `nodes` (> 0) more nodes, in at most so many clusters; false: all is written, and was so already. */
bool board_read(struct board_reader *reader, size_t nodes, struct json *json);

/* At any time after board_read_begin(), once. */
void board_read_end(struct board_reader *reader);
