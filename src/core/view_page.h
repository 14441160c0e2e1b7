/*
 * A page, which is a part of a picture (view.h): of 64 successive nodes in configured order those that the picture
 * shows. Pictures in which these have not changed share the page. Immutable once shared; counted atomically: any thread
 * may hold and drop it; the monitor makes it.
 */
#pragma once

#include "core/node_view.h"

#define VIEW_PAGE 64 /* configured orders in a page */

struct view_page {
	atomic_uint references;
	size_t first; /* a multiple of VIEW_PAGE */
	uint64_t has; /* bit i: the node of order first + i is here; never 0 */
	struct node_view *nodes[]; /* as many as there are bits, in order */
};

/* Returns the bit of that order in its page. */
uint64_t view_page_bit(size_t order);

/* Makes a page with one reference, the caller's; takes references of the nodes, as many as `has` has bits. */
struct view_page *view_page_new(size_t first, uint64_t has, struct node_view *const *nodes);

/*
 * Makes a page like `page` (NULL: an empty one) that has `node` at that order, or (NULL) nothing. Takes references of
 * the nodes; returns the caller's reference, or NULL if no node is left.
 */
struct view_page *view_page_with(const struct view_page *page, size_t order, struct node_view *node);
void view_page_unref(struct view_page *page);

/* Returns how many nodes the page has, at least one. */
size_t view_page_count(const struct view_page *page);

/* Returns the order of its first node. */
size_t view_page_order(const struct view_page *page);

/* Returns the place of the node of that order; NULL: it is not in the page. */
struct node_view **view_page_find(struct view_page *page, size_t order);

/* Returns how many bytes of the page and its nodes are not shared with `beside` (of the same orders; NULL: none). */
size_t view_page_bytes(const struct view_page *page, const struct view_page *beside);
