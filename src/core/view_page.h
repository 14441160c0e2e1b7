/*
 * A part of a picture (view.h): those of 64 nodes that follow one another in configured order that the picture shows.
 * Pictures in which the same nodes are the same share it. Immutable once shared; counted atomically: any thread may
 * hold and drop it; the monitor makes it.
 */
#pragma once

#include "core/node_view.h"

#define VIEW_PAGE 64 /* configured orders */

struct view_page {
	atomic_uint references;
	size_t first; /* a multiple of VIEW_PAGE */
	uint64_t has; /* bit i: the node of order first + i is here; never 0 */
	struct node_view *nodes[]; /* as many as there are bits, in order */
};

/* The bit of that order in its page. */
uint64_t view_page_bit(size_t order);

/* With one reference, the caller's; takes references of the nodes, as many as `has` has bits. */
struct view_page *view_page_new(size_t first, uint64_t has, struct node_view *const *nodes);

/*
 * One that is like `page` (NULL: empty), but for what stands at that order: `node`, or (NULL) nothing. NULL: nothing is
 * left. The caller's reference; it takes references of the nodes.
 */
struct view_page *view_page_with(const struct view_page *page, size_t order, struct node_view *node);
void view_page_unref(struct view_page *page);

/* How many nodes there are, at least one; the order of the first. */
size_t view_page_count(const struct view_page *page);
size_t view_page_order(const struct view_page *page);

/* Where the node of that order stands; NULL: it is not here. */
struct node_view **view_page_find(struct view_page *page, size_t order);

/* How many bytes of the page and its nodes `beside` (of the same orders; NULL: none) does not hold as well. */
size_t view_page_bytes(const struct view_page *page, const struct view_page *beside);
