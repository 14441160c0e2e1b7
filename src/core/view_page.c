#include "core/view_page.h"

#include <stdlib.h>

#include "base/mem.h"

size_t view_page_count(const struct view_page *page)
{
	return (size_t)__builtin_popcountll(page->has);
}

uint64_t view_page_bit(size_t order)
{
	return (uint64_t)1 << (order % VIEW_PAGE);
}

size_t view_page_order(const struct view_page *page)
{
	return page->first + (size_t)__builtin_ctzll(page->has);
}

static size_t size_of(size_t count)
{
	return sizeof(struct view_page) + count * sizeof(struct node_view *);
}

struct view_page *view_page_new(size_t first, uint64_t has, struct node_view *const *nodes)
{
	size_t count = (size_t)__builtin_popcountll(has);
	struct view_page *page = mem_alloc(size_of(count));

	atomic_init(&page->references, 1);
	page->first = first;
	page->has = has;
	for (size_t i = 0; i < count; i++)
		page->nodes[i] = node_view_ref(nodes[i]); // NOLINT(clang-analyzer-core.CallAndMessage): as many as bits
	return page;
}

void view_page_unref(struct view_page *page)
{
	size_t count = view_page_count(page);

	if (atomic_fetch_sub(&page->references, 1) > 1)
		return;
	for (size_t i = 0; i < count; i++)
		node_view_unref(&page->nodes[i]);
	free(page);
}

/* Returns the index in the page's nodes at which the one of that order is or belongs. */
static size_t place_of(const struct view_page *page, size_t order)
{
	return (size_t)__builtin_popcountll(page->has & (view_page_bit(order) - 1));
}

struct node_view **view_page_find(struct view_page *page, size_t order)
{
	return (page->has & view_page_bit(order)) != 0 ? &page->nodes[place_of(page, order)] : NULL;
}

struct view_page *view_page_with(const struct view_page *page, size_t order, struct node_view *node)
{
	struct node_view *nodes[VIEW_PAGE] = { NULL };
	uint64_t before = page != NULL ? page->has : 0;
	uint64_t has = node != NULL ? before | view_page_bit(order) : before & ~view_page_bit(order);
	size_t count = 0;

	for (uint64_t rest = has; rest != 0; rest &= rest - 1) {
		size_t at = order - order % VIEW_PAGE + (size_t)__builtin_ctzll(rest);

		nodes[count++] = at == order || page == NULL ? node : page->nodes[place_of(page, at)];
	}
	return has != 0 ? view_page_new(order - order % VIEW_PAGE, has, nodes) : NULL;
}

static bool has_node(const struct view_page *page, size_t order, const struct node_view *node)
{
	return (page->has & view_page_bit(order)) != 0 && page->nodes[place_of(page, order)] == node;
}

size_t view_page_bytes(const struct view_page *page, const struct view_page *beside)
{
	size_t count = view_page_count(page);
	size_t bytes = size_of(count);
	uint64_t rest = page->has;

	if (page == beside)
		return 0;
	for (size_t i = 0; i < count; i++, rest &= rest - 1) {
		size_t order = page->first + (size_t)__builtin_ctzll(rest);

		if (beside == NULL || !has_node(beside, order, page->nodes[i]))
			bytes += page->nodes[i]->bytes;
	}
	return bytes;
}
