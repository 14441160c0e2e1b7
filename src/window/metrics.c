#include "window/metrics.h"

#include <stdio.h>

#include "system/descriptors.h"
#include "window/sample.h"

void metrics_begin(struct metrics_reader *reader, struct pane *pane, const struct meters *meters, int64_t now_ms)
{
	*reader = (struct metrics_reader){
		.pane = pane_ref(pane),
		.source = {
			.pane = pane,
			.meters = meters,
			.now_ms = now_ms,
			.descriptors = descriptors_used(),
		},
		.family = families_all,
	};
}

void metrics_end(struct metrics_reader *reader)
{
	pane_unref(&reader->pane);
}

static void begin_family(struct metrics_reader *reader, struct buf *out)
{
	const struct family *family = reader->family;
	const struct board *board = reader->pane->board;
	const struct view *first = board_next(board, -1);

	(void)snprintf(reader->name, sizeof(reader->name), "plusmoin_%s", family->name);
	sample_head(out, reader->name, family->type, family->help);
	reader->is_under_way = true;
	if (first == NULL && family->scope == FAMILY_NODE)
		first = board->clusterless;
	reader->walk = first != NULL ? view_walk_all(first) : (struct view_walk){ .view = NULL };
}

/* Goes on to the next cluster, and from the last one to the clusterless nodes where the family has samples of nodes. */
static void next_view(struct metrics_reader *reader)
{
	const struct board *board = reader->pane->board;
	const struct view *view = reader->walk.view;
	const struct view *next = view != board->clusterless ? board_next(board, view->cluster_id) : NULL;

	if (next == NULL && view != board->clusterless && reader->family->scope == FAMILY_NODE)
		next = board->clusterless;
	reader->walk = next != NULL ? view_walk_all(next) : (struct view_walk){ .view = NULL };
}

/* Writes the samples of one more cluster or node. */
static void write_next(struct metrics_reader *reader, struct buf *out)
{
	const struct family *family = reader->family;
	const struct node_view *node;

	if (family->scope == FAMILY_CLUSTER) {
		family->cluster(reader->walk.view, reader->name, out);
		next_view(reader);
		return;
	}
	node = view_walk_next(&reader->walk);
	if (node != NULL)
		family->node(&reader->source, node, reader->name, out);
	else
		next_view(reader);
}

/* Writes the family until `out` has `end` bytes. Returns whether all of it is written. */
static bool write_family(struct metrics_reader *reader, struct buf *out, size_t end)
{
	if (!reader->is_under_way)
		begin_family(reader, out);
	if (reader->family->scope == FAMILY_FLEET) {
		reader->family->fleet(&reader->source, reader->name, out);
		return true;
	}
	while (out->len < end && reader->walk.view != NULL)
		write_next(reader, out);
	return reader->walk.view == NULL;
}

bool metrics_read(struct metrics_reader *reader, struct buf *out, size_t bytes)
{
	size_t end = out->len + bytes;

	while (reader->family->name != NULL && out->len < end) {
		if (!write_family(reader, out, end))
			return true;
		reader->family++;
		reader->is_under_way = false;
	}
	return reader->family->name != NULL;
}
