#include "core/board.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

struct board *board_new(void)
{
	struct board *board = mem_zalloc(1, sizeof(*board));

	atomic_init(&board->references, 1);
	board->generation = 1; /* not 0: an empty board is written to the status file, too */
	board->clusterless = view_new_empty();
	return board;
}

struct board *board_ref(struct board *board)
{
	atomic_fetch_add(&board->references, 1);
	return board;
}

static void page_unref(struct board_page *page)
{
	if (atomic_fetch_sub(&page->references, 1) > 1)
		return;
	for (size_t i = 0; i < BOARD_PAGE; i++)
		view_unref(&page->views[i]);
	free(page->text);
	free(page);
}

void board_unref(struct board **board_p)
{
	struct board *board = *board_p;

	*board_p = NULL;
	if (board == NULL || atomic_fetch_sub(&board->references, 1) > 1)
		return;
	for (size_t i = 0; i < board->page_count; i++)
		page_unref(board->pages[i]);
	free(board->pages);
	view_unref(&board->clusterless);
	free(board);
}

/* Makes `*board` one that nobody else holds: itself, or a copy that shares its pages. */
static struct board *own(struct board **board_p)
{
	struct board *board = *board_p;
	struct board *copy;

	if (atomic_load(&board->references) == 1)
		return board;
	copy = mem_alloc(sizeof(*copy));
	*copy = (struct board){ /* member by member: another thread may be dropping its reference meanwhile */
		.generation = board->generation,
		.page_count = board->page_count,
		.cluster_count = board->cluster_count,
		.slaves = board->slaves,
		.lost = board->lost,
		.clusterless = board->clusterless,
	};
	atomic_init(&copy->references, 1);
	copy->pages = mem_zalloc(board->page_count, sizeof(struct board_page *));
	for (size_t i = 0; i < board->page_count; i++) {
		copy->pages[i] = board->pages[i];
		atomic_fetch_add(&copy->pages[i]->references, 1);
	}
	(void)view_ref(copy->clusterless);
	board_unref(board_p);
	*board_p = copy;
	return copy;
}

/* Returns the index at which the cluster's page is, or is to be inserted. */
static size_t page_at(const struct board *board, int cluster_id)
{
	int first_id = cluster_id - cluster_id % BOARD_PAGE;
	size_t low = 0;
	size_t high = board->page_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (board->pages[middle]->first_id < first_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct board_page *page_of(const struct board *board, int cluster_id)
{
	size_t at = page_at(board, cluster_id);

	return at < board->page_count &&
			       board->pages[at]->first_id == cluster_id - cluster_id % BOARD_PAGE
		       ? board->pages[at]
		       : NULL;
}

static struct board_page *without_text(struct board_page *page)
{
	free(page->text);
	page->text = NULL;
	return page;
}

/* Returns the cluster's page for a change; it is copied first if another board holds it. Nobody else holds `board`. */
static struct board_page *own_page(struct board *board, int cluster_id)
{
	size_t at = page_at(board, cluster_id);
	struct board_page *page = page_of(board, cluster_id);
	struct board_page *mine;

	if (page != NULL && atomic_load(&page->references) == 1)
		return without_text(page);
	mine = mem_zalloc(1, sizeof(*mine));
	if (page != NULL) {
		mine->count = page->count;
		for (size_t i = 0; i < BOARD_PAGE; i++)
			mine->views[i] = page->views[i] != NULL ? view_ref(page->views[i]) : NULL;
		page_unref(page);
	} else {
		board->pages = mem_grow(board->pages, board->page_count + 1, sizeof(struct board_page *));
		memmove(&board->pages[at + 1], &board->pages[at],
			(board->page_count - at) * sizeof(struct board_page *));
		board->page_count++;
	}
	mine->first_id = cluster_id - cluster_id % BOARD_PAGE;
	atomic_init(&mine->references, 1);
	board->pages[at] = mine;
	return mine;
}

static void remove_page(struct board *board, struct board_page *page)
{
	size_t at = page_at(board, page->first_id);

	page_unref(page);
	board->page_count--;
	memmove(&board->pages[at], &board->pages[at + 1],
		(board->page_count - at) * sizeof(struct board_page *));
}

/* Replaces the cluster's picture by `view` (NULL: removes it), and keeps the board's counts. */
static void replace(struct board *board, int cluster_id, struct view *view)
{
	struct board_page *page = own_page(board, cluster_id);
	struct view **place = &page->views[cluster_id % BOARD_PAGE];

	if (*place != NULL) {
		page->count--;
		board->cluster_count--;
		board->slaves -= (*place)->slaves;
		board->lost -= (*place)->lost;
	}
	view_unref(place);
	if (view != NULL) {
		*place = view_ref(view);
		page->count++;
		board->cluster_count++;
		board->slaves += view->slaves;
		board->lost += view->lost;
	}
	if (page->count == 0)
		remove_page(board, page);
}

void board_put(struct board **board_p, struct view *view)
{
	struct board *board = own(board_p);

	board->generation++;
	if (view->cluster_id >= 0) {
		replace(board, view->cluster_id, view);
		return;
	}
	view_unref(&board->clusterless);
	board->clusterless = view_ref(view);
}

/* Returns the cluster's picture (-1: the clusterless nodes') for a change, copied if others hold it; NULL: none. */
static struct view *own_view(struct board **board_p, int cluster_id)
{
	struct board *board = own(board_p);
	struct board_page *page = cluster_id >= 0 && page_of(board, cluster_id) != NULL ? own_page(board, cluster_id)
											: NULL;
	struct view **place = page != NULL ? &page->views[cluster_id % BOARD_PAGE] : &board->clusterless;
	struct view *copy;

	if ((page == NULL && cluster_id >= 0) || *place == NULL)
		return NULL;
	if (atomic_load(&(*place)->references) > 1) {
		copy = view_copy(*place);
		view_unref(place);
		*place = copy;
	}
	return *place;
}

/* Replaces the node of this order in a picture by `node` (NULL: removes it), and keeps the board's counts. */
static void put(struct board **board, int cluster_id, size_t order, struct node_view *node)
{
	struct view *view = own_view(board, cluster_id);

	if (view == NULL)
		return; /* its cluster was dropped */
	(*board)->generation++;
	if (cluster_id >= 0) {
		(*board)->slaves -= view->slaves;
		(*board)->lost -= view->lost;
	}
	view_put(view, order, node);
	if (cluster_id >= 0) {
		(*board)->slaves += view->slaves;
		(*board)->lost += view->lost;
	}
}

static int place_of(const struct node *node)
{
	return node->cluster != NULL ? node->cluster->id : SHOWN_CLUSTERLESS;
}

/* Makes the picture of a cluster (NULL: of the clusterless nodes) anew from all of its nodes. */
static void renew(struct board **board, const struct fleet *fleet, const struct cluster *cluster)
{
	const struct list *nodes = cluster != NULL ? &cluster->members : &fleet->clusterless;
	struct view *old = cluster != NULL ? board_find(*board, cluster->id) : (*board)->clusterless;
	struct view *view = old != NULL ? view_ref(old) : view_new(fleet, cluster);

	if (old == NULL || view_renew(&view, fleet, cluster))
		board_put(board, view);
	view_unref(&view);
	for (size_t i = 0; i < nodes->count; i++) {
		struct node *node = nodes->items[i];

		node->shown_in = place_of(node);
	}
}

/* Whether renew() makes this picture anew, so that none of its nodes has to be put in or taken out alone. */
static bool is_renewed(const struct fleet *fleet, int cluster_id)
{
	const struct cluster *cluster = cluster_id >= 0 ? fleet_find_cluster(fleet, cluster_id) : NULL;

	return cluster_id == SHOWN_CLUSTERLESS ? fleet->touched_clusterless : cluster != NULL && cluster->touched;
}

/* Takes a node that has moved out of the picture in which it was shown. */
static void take_out(struct board **board, const struct fleet *fleet, struct node *node)
{
	int before = node->shown_in;

	if (before == place_of(node) || before == SHOWN_NOWHERE)
		return;
	node->shown_in = SHOWN_NOWHERE;
	if (!is_renewed(fleet, before))
		put(board, before, node->order, NULL);
}

/* Puts the node's present view into the picture of the place where it is now. */
static void renew_node(struct board **board, const struct fleet *fleet, struct node *node)
{
	int now = place_of(node);
	const struct view *view = now >= 0 ? board_find(*board, now) : (*board)->clusterless;

	if (is_renewed(fleet, now) || view == NULL)
		return;
	node->shown_in = now;
	if (view_find(view, node->order) != node_view_of(node))
		put(board, now, node->order, node->view);
}

void board_update(struct board **board, struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->dropped.count; i++) {
		int id = (int)(intptr_t)fleet->dropped.items[i];

		if (board_find(*board, id) == NULL)
			continue;
		own(board)->generation++;
		replace(*board, id, NULL);
	}
	for (size_t i = 0; i < fleet->touched_nodes.count; i++)
		take_out(board, fleet, fleet->touched_nodes.items[i]);
	for (size_t i = 0; i < fleet->touched.count; i++)
		renew(board, fleet, fleet->touched.items[i]);
	if (fleet->touched_clusterless)
		renew(board, fleet, NULL);
	for (size_t i = 0; i < fleet->touched_nodes.count; i++)
		renew_node(board, fleet, fleet->touched_nodes.items[i]);
	fleet_untouch(fleet);
}

struct view *board_find(const struct board *board, int cluster_id)
{
	const struct board_page *page = cluster_id >= 0 ? page_of(board, cluster_id) : NULL;

	return page != NULL ? page->views[cluster_id % BOARD_PAGE] : NULL;
}

struct view *board_next(const struct board *board, int after)
{
	int id = after + 1;

	for (size_t at = page_at(board, id); at < board->page_count; at++) {
		const struct board_page *page = board->pages[at];
		size_t i = id > page->first_id ? (size_t)(id - page->first_id) : 0;

		for (; i < BOARD_PAGE; i++) {
			if (page->views[i] != NULL)
				return page->views[i];
		}
	}
	return NULL;
}

static void render_page(struct board_page *page)
{
	struct buf text = { 0 };
	struct json json = { .out = &text };

	for (size_t i = 0; i < BOARD_PAGE; i++) {
		if (page->views[i] != NULL)
			view_render(page->views[i], false, &json);
	}
	page->text_bytes = text.len;
	page->text = buf_steal(&text);
}

void board_render(const struct board *board, struct buf *out)
{
	struct json json = { .out = out };

	buf_add_str(out, "{\"clusters\":[");
	for (size_t i = 0; i < board->page_count; i++) {
		struct board_page *page = board->pages[i];

		if (page->text == NULL)
			render_page(page);
		if (i > 0)
			buf_add_char(out, ',');
		buf_add(out, page->text, page->text_bytes);
	}
	buf_add_str(out, "],\"clusterless\":");
	view_render(board->clusterless, false, &json);
	buf_add_str(out, "}\n");
}

static void begin_clusterless(struct board_reader *reader, struct json *json)
{
	jsonw_end_array(json);
	jsonw_key(json, "clusterless");
	reader->walk = view_walk_all(reader->board->clusterless);
}

/* Begins to write this picture; NULL: that of the clusterless nodes. */
static void begin_view(struct board_reader *reader, const struct view *view, struct json *json)
{
	if (view == NULL)
		begin_clusterless(reader, json);
	else
		reader->walk = view_walk_all(view);
}

void board_read_begin(struct board_reader *reader, struct board *board, struct json *json)
{
	*reader = (struct board_reader){ .board = board_ref(board) };
	jsonw_key(json, "clusters");
	jsonw_begin_array(json);
	begin_view(reader, board_next(board, -1), json);
}

/* Goes on to the picture after the one that was just written. */
static void read_next(struct board_reader *reader, struct json *json)
{
	const struct view *view = reader->walk.view;

	if (view == reader->board->clusterless)
		reader->walk.view = NULL;
	else
		begin_view(reader, board_next(reader->board, view->cluster_id), json);
}

bool board_read(struct board_reader *reader, size_t nodes, struct json *json)
{
	bool goes_on = reader->walk.view != NULL;

	while (nodes > 0 && reader->walk.view != NULL) {
		size_t left = view_size(reader->walk.view) - reader->walk.count;
		size_t part = left < nodes ? left : nodes;

		view_render_part(&reader->walk, part, true, json);
		nodes -= part > 0 ? part : 1; /* a cluster without nodes counts as one */
		if (part == left)
			read_next(reader, json);
	}
	return goes_on;
}

void board_read_end(struct board_reader *reader)
{
	board_unref(&reader->board);
	reader->walk.view = NULL;
}
