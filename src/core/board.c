#include "core/board.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

struct board *board_new(void)
{
	struct board *board = mem_zalloc(1, sizeof(*board));

	atomic_init(&board->references, 1);
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
	*copy = *board;
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

/* Where the page that has the cluster's place is or belongs. */
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

/* The cluster's page, which nobody else holds; the board is nobody else's already. */
static struct board_page *own_page(struct board *board, int cluster_id)
{
	size_t at = page_at(board, cluster_id);
	struct board_page *page = page_of(board, cluster_id);
	struct board_page *mine;

	if (page != NULL && atomic_load(&page->references) == 1)
		return page;
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

/* Replaces what is in a cluster's place by `view` (NULL: nothing), and counts. */
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

static void make(struct board **board, const struct fleet *fleet, const struct cluster *cluster)
{
	struct view *view = view_new(fleet, cluster);

	board_put(board, view);
	view_unref(&view);
}

/* Whether the clusterless nodes are others than shown, or one of them that was touched is. */
static bool is_clusterless_old(const struct board *board, const struct fleet *fleet)
{
	if (fleet->moved_clusterless)
		return !view_is_current(board->clusterless, fleet, NULL);
	for (size_t i = 0; i < fleet->touched_clusterless.count; i++) {
		const struct node *node = fleet->touched_clusterless.items[i];

		if (!view_shows(board->clusterless, fleet_clusterless_place(fleet, node), node))
			return true;
	}
	return false;
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
	for (size_t i = 0; i < fleet->touched.count; i++) {
		const struct cluster *cluster = fleet->touched.items[i];
		const struct view *old = board_find(*board, cluster->id);

		if (old == NULL || !view_is_current(old, fleet, cluster))
			make(board, fleet, cluster);
	}
	if ((*board)->clusterless->text == NULL || is_clusterless_old(*board, fleet))
		make(board, fleet, NULL);
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

void board_render(const struct board *board, struct buf *out)
{
	const struct view *view = NULL;

	buf_add_str(out, "{\"clusters\":[");
	while ((view = board_next(board, view != NULL ? view->cluster_id : -1)) != NULL) {
		if (out->data[out->len - 1] == '}')
			buf_add_char(out, ',');
		buf_add(out, view->text, view->text_bytes);
	}
	buf_add_str(out, "],\"clusterless\":");
	if (board->clusterless->text != NULL)
		buf_add(out, board->clusterless->text, board->clusterless->text_bytes);
	else
		buf_add_str(out, "[]");
	buf_add_str(out, "}\n");
}

static void begin_clusterless(struct board_reader *reader, struct json *json)
{
	jsonw_end_array(json);
	jsonw_key(json, "clusterless");
	reader->view = reader->board->clusterless;
}

void board_read_begin(struct board_reader *reader, struct board *board, struct json *json)
{
	*reader = (struct board_reader){ .board = board_ref(board), .view = board_next(board, -1) };
	jsonw_key(json, "clusters");
	jsonw_begin_array(json);
	if (reader->view == NULL)
		begin_clusterless(reader, json);
}

/* Goes on to the picture behind the one that is written. */
static void read_next(struct board_reader *reader, struct json *json)
{
	reader->next = 0;
	if (reader->view == reader->board->clusterless) {
		reader->view = NULL;
		return;
	}
	reader->view = board_next(reader->board, reader->view->cluster_id);
	if (reader->view == NULL)
		begin_clusterless(reader, json);
}

bool board_read(struct board_reader *reader, size_t nodes, struct json *json)
{
	bool goes_on = reader->view != NULL;

	while (nodes > 0 && reader->view != NULL) {
		size_t left = view_size(reader->view) - reader->next;
		size_t part = left < nodes ? left : nodes;

		view_render_part(reader->view, reader->next, reader->next + part, true, json);
		reader->next += part;
		nodes -= part > 0 ? part : 1; /* a cluster without nodes costs something, too */
		if (part == left)
			read_next(reader, json);
	}
	return goes_on;
}

void board_read_end(struct board_reader *reader)
{
	board_unref(&reader->board);
	reader->view = NULL;
}
