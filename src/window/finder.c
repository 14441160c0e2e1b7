#include "window/finder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"

#define ID_BYTES 320   /* a host of 255 bytes and a port */
#define NEAR_BYTES 64  /* of longer names only the first so many are compared */
#define ENTRIES_A_NODE 4 /* two names a node, and half of the places stay free */

struct finder_entry {
	uint32_t hash;
	int cluster_id;
	size_t order; /* the node's order plus 1; 0: the place is free */
};

/* ---- all nodes of a board ---- */

struct each {
	const struct board *board;
	int cluster_id; /* of the view; -1: before the first cluster */
	bool ended;
	const struct view *view;
	size_t page;
	size_t at;
	size_t order; /* of the node that came last */
};

static void next_view(struct each *each)
{
	if (each->view != NULL && each->view == each->board->clusterless) {
		each->ended = true;
		return;
	}
	each->view = board_next(each->board, each->cluster_id);
	if (each->view != NULL)
		each->cluster_id = each->view->cluster_id;
	else
		each->view = each->board->clusterless;
	each->page = 0;
	each->at = 0;
}

static size_t order_at(const struct view_page *page, size_t at)
{
	uint64_t has = page->has;

	while (at-- > 0)
		has &= has - 1;
	return page->first + (size_t)__builtin_ctzll(has);
}

static const struct node_view *next_node(struct each *each)
{
	const struct view_page *page;

	while (!each->ended && (each->view == NULL || each->page == each->view->page_count))
		next_view(each);
	if (each->ended)
		return NULL;
	page = each->view->pages[each->page];
	each->order = order_at(page, each->at);
	if (each->at + 1 < view_page_count(page))
		return page->nodes[each->at++];
	each->page++;
	each->at = 0;
	return page->nodes[view_page_count(page) - 1];
}

static struct each each_of(const struct board *board)
{
	return (struct each){ .board = board, .cluster_id = -1 };
}

/* ---- the index ---- */

static void write_id(const struct node_view *node, char out[ID_BYTES])
{
	(void)snprintf(out, ID_BYTES, "%s:%d", node->host, node->port);
}

static bool has_id(const struct node_view *node, const char *name)
{
	size_t len = strlen(node->host);
	char port[16];

	if (strncmp(name, node->host, len) != 0 || name[len] != ':')
		return false;
	(void)snprintf(port, sizeof(port), "%d", node->port);
	return strcmp(name + len + 1, port) == 0;
}

static void put(struct finder *finder, const char *text, const struct each *each)
{
	uint32_t hash = hash32_text(HASH32_BEGIN, text);
	size_t at = hash & (finder->size - 1);

	while (finder->entries[at].order != 0)
		at = (at + 1) & (finder->size - 1);
	finder->entries[at] = (struct finder_entry){
		.hash = hash, .cluster_id = each->view->cluster_id, .order = each->order + 1,
	};
}

static size_t count_nodes(const struct board *board)
{
	struct each each = each_of(board);
	size_t count = 0;

	while (next_node(&each) != NULL)
		count++;
	return count;
}

static void build(struct finder *finder, const struct board *board)
{
	struct each each = each_of(board);
	size_t wanted = count_nodes(board) * ENTRIES_A_NODE;
	const struct node_view *node;
	char id[ID_BYTES];

	finder_free(finder);
	for (finder->size = 2; finder->size < wanted;)
		finder->size *= 2;
	finder->entries = mem_zalloc(finder->size, sizeof(*finder->entries));
	while ((node = next_node(&each)) != NULL) {
		write_id(node, id);
		put(finder, id, &each);
		if (strcmp(id, node->name) != 0)
			put(finder, node->name, &each);
	}
}

static const struct node_view *node_at(const struct board *board, const struct finder_entry *entry)
{
	const struct view *view = entry->cluster_id >= 0 ? board_find(board, entry->cluster_id) : board->clusterless;

	return view != NULL ? view_find(view, entry->order - 1) : NULL;
}

/* Looks the name up in the index. `*named`: how many nodes have it. `*misled`: the index is wrong about a node. */
static const struct node_view *look_up(const struct finder *finder, const struct board *board, const char *name,
				       size_t *named, bool *misled)
{
	uint32_t hash = hash32_text(HASH32_BEGIN, name);
	const struct node_view *found = NULL;
	size_t at = hash & (finder->size - 1);

	for (; finder->entries[at].order != 0; at = (at + 1) & (finder->size - 1)) {
		const struct node_view *node =
			finder->entries[at].hash == hash ? node_at(board, &finder->entries[at]) : NULL;

		*misled = *misled || (finder->entries[at].hash == hash && node == NULL);
		if (node != NULL && has_id(node, name)) {
			*named = 1;
			return node;
		}
		if (node != NULL && strcmp(node->name, name) == 0) {
			++*named;
			found = node;
		}
	}
	return found;
}

static bool is_there(const struct board *board, const char *name)
{
	struct each each = each_of(board);
	const struct node_view *node;

	while ((node = next_node(&each)) != NULL) {
		if (has_id(node, name) || strcmp(node->name, name) == 0)
			return true;
	}
	return false;
}

const struct node_view *finder_find(struct finder *finder, const struct board *board, const char *name, bool *several)
{
	const struct node_view *node;
	size_t named = 0;
	bool misled = false;

	if (finder->entries == NULL)
		build(finder, board);
	node = look_up(finder, board, name, &named, &misled);
	if (misled || (named == 0 && is_there(board, name))) {
		build(finder, board);
		named = 0;
		node = look_up(finder, board, name, &named, &misled);
	}
	*several = named > 1;
	return named == 1 ? node : NULL;
}

void finder_free(struct finder *finder)
{
	free(finder->entries);
	*finder = (struct finder){ 0 };
}

/* ---- names that are like one ---- */

/*
 * Sets row[j] to how many letters must be changed, inserted or left out to make `a` of the first j letters of `b`.
 * Returns false when that is more than `most` for each j.
 */
static bool compare(const char *a, const char *b, size_t b_len, size_t most, unsigned char row[NEAR_BYTES + 1])
{
	size_t a_len = strnlen(a, NEAR_BYTES);
	size_t least = 0;

	for (size_t j = 0; j <= b_len; j++)
		row[j] = (unsigned char)j;
	for (size_t i = 0; i < a_len && least <= most; i++) {
		unsigned char diagonal = row[0];

		row[0] = (unsigned char)(i + 1);
		least = row[0];
		for (size_t j = 0; j < b_len; j++) {
			unsigned char best = (unsigned char)(diagonal + (a[i] != b[j]));

			diagonal = row[j + 1];
			if (row[j + 1] + 1 < best)
				best = (unsigned char)(row[j + 1] + 1);
			if (row[j] + 1 < best)
				best = (unsigned char)(row[j] + 1);
			row[j + 1] = best;
			least = best < least ? best : least;
		}
	}
	return least <= most;
}

/*
 * Returns how many letters differ between a name and the node's name, its "host:port" or its host, whichever is
 * nearest; more than `most`: too many.
 */
static size_t distance(const char *name, const struct node_view *node, size_t most)
{
	unsigned char row[NEAR_BYTES + 1];
	size_t best = most + 1;
	char id[ID_BYTES];
	size_t len;

	write_id(node, id);
	len = strnlen(id, NEAR_BYTES);
	if (compare(name, id, len, most, row)) {
		size_t without_port = row[strnlen(node->host, NEAR_BYTES)];

		best = row[len] < without_port ? row[len] : without_port;
	}
	len = strnlen(node->name, NEAR_BYTES);
	if (strcmp(node->name, id) != 0 && compare(name, node->name, len, most, row) && row[len] < best)
		best = row[len];
	return best;
}

struct near {
	const struct node_view *node[FINDER_NEAR];
	size_t distance[FINDER_NEAR];
	size_t count;
};

/* Keeps the node if it is among the nearest; of equally near ones the first are kept. */
static void take_near(struct near *near, const struct node_view *node, size_t how_far)
{
	size_t at = near->count < FINDER_NEAR ? near->count++ : FINDER_NEAR - 1;

	if (at == FINDER_NEAR - 1 && near->node[at] != NULL && near->distance[at] <= how_far)
		return;
	for (; at > 0 && near->distance[at - 1] > how_far; at--) {
		near->node[at] = near->node[at - 1];
		near->distance[at] = near->distance[at - 1];
	}
	near->node[at] = node;
	near->distance[at] = how_far;
}

bool finder_add_near(const struct board *board, const char *name, struct buf *out)
{
	struct each each = each_of(board);
	struct near near = { 0 };
	const struct node_view *node;
	size_t most = strnlen(name, NEAR_BYTES) / 3 + 1;

	while ((node = next_node(&each)) != NULL) {
		size_t how_far = distance(name, node, most);

		if (how_far <= most)
			take_near(&near, node, how_far);
		if (near.count == FINDER_NEAR && near.distance[FINDER_NEAR - 1] <= most)
			most = near.distance[FINDER_NEAR - 1]; /* none further would be kept: compare() can stop earlier */
	}
	for (size_t i = 0; i < near.count; i++)
		buf_addf(out, "%s%s", i > 0 ? ", " : "", near.node[i]->name);
	return near.count > 0;
}
