#include "core/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/verdict.h"

#define FAILING_BYTES (MESSAGE_BYTES + 32) /* a reason's name, and words */

static const char *master_name_of(const struct node *node)
{
	return node->is_slave ? node->master_name : "";
}

static int cluster_id_of(const struct node *node)
{
	return node->cluster != NULL ? node->cluster->id : -1;
}

/* What is to be shown of the node now; its texts are the node's, and `failing`. */
static void take_node(struct node_view *view, const struct node *node, char *failing)
{
	*view = (struct node_view){
		.host = node->config->host,
		.port = node->config->port,
		.cluster_id = cluster_id_of(node),
		.is_slave = node->is_slave,
		.master_name = master_name_of(node),
		.name = node->config->name,
		.state = node->place,
		.since_ms = node->since_ms,
		.server_version = node->server_version,
	};
	view->has_lag = node_lag(node, &view->lag_ms);
	view->condition = node_condition(node);
	view->reason = node_why(node, &view->message);
	if (!node_is_failing(node))
		return;
	(void)snprintf(failing, FAILING_BYTES, "%s: %s", reason_name(node->failure.reason), node->shown->failure);
	view->failing = failing;
}

/* Whether the seed's keys are alike: then the JSON of the one is that of the other. */
static bool has_same_text(const struct node_view *a, const struct node_view *b)
{
	return a->port == b->port && a->cluster_id == b->cluster_id && a->is_slave == b->is_slave &&
	       strcmp(a->host, b->host) == 0 && strcmp(a->master_name, b->master_name) == 0;
}

static bool is_same(const struct node_view *a, const struct node_view *b)
{
	return a->state == b->state && a->condition == b->condition && a->reason == b->reason &&
	       a->since_ms == b->since_ms && a->server_version == b->server_version && a->has_lag == b->has_lag &&
	       (!a->has_lag || a->lag_ms == b->lag_ms) && has_same_text(a, b) && strcmp(a->name, b->name) == 0 &&
	       text_same(a->message, b->message) && text_same(a->failing, b->failing);
}

/* A view of what is to be shown; where the JSON is that of `before` (NULL: nothing) it is copied. */
static struct node_view *make_node(struct node_view *shown, const struct node_view *before)
{
	if (before != NULL && has_same_text(shown, before)) {
		shown->text = before->text;
		shown->text_bytes = before->text_bytes;
	}
	return node_view_new(shown);
}

struct node_view *node_view_of(const struct node *node)
{
	struct node *keeper = (struct node *)node; /* who only looks at a node does not change what is seen of it */
	char failing[FAILING_BYTES];
	struct node_view shown;
	struct node_view *made;

	take_node(&shown, node, failing);
	if (node->view != NULL && is_same(node->view, &shown))
		return node->view;
	made = make_node(&shown, node->view);
	node_view_unref(&keeper->view);
	keeper->view = made;
	return made;
}

/* ---- pages ---- */

static size_t count_of(const struct view_page *page)
{
	return (size_t)__builtin_popcountll(page->has);
}

static size_t page_bytes(size_t count)
{
	return sizeof(struct view_page) + count * sizeof(struct node_view *);
}

/* Takes references of the nodes. */
static struct view_page *page_new(size_t first, uint64_t has, struct node_view *const *nodes)
{
	size_t count = (size_t)__builtin_popcountll(has);
	struct view_page *page = mem_alloc(page_bytes(count));

	atomic_init(&page->references, 1);
	page->first = first;
	page->has = has;
	for (size_t i = 0; i < count; i++)
		page->nodes[i] = node_view_ref(nodes[i]);
	return page;
}

static void page_unref(struct view_page *page)
{
	size_t count = count_of(page);

	if (atomic_fetch_sub(&page->references, 1) > 1)
		return;
	for (size_t i = 0; i < count; i++)
		node_view_unref(&page->nodes[i]);
	free(page);
}

static uint64_t bit_of(size_t order)
{
	return (uint64_t)1 << (order % VIEW_PAGE);
}

/* Where in the page's nodes the one of that order is or belongs. */
static size_t place_in(const struct view_page *page, size_t order)
{
	return (size_t)__builtin_popcountll(page->has & (bit_of(order) - 1));
}

/* Where in the view's pages the one for that order is or belongs. */
static size_t page_at(const struct view *view, size_t order)
{
	size_t low = 0;
	size_t high = view->page_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (view->pages[middle]->first + VIEW_PAGE <= order)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct view_page *page_for(const struct view *view, size_t order)
{
	size_t at = page_at(view, order);

	return at < view->page_count && view->pages[at]->first <= order ? view->pages[at] : NULL;
}

struct node_view *view_find(const struct view *view, size_t order)
{
	const struct view_page *page = page_for(view, order);

	return page != NULL && (page->has & bit_of(order)) != 0 ? page->nodes[place_in(page, order)] : NULL;
}

/* ---- pictures ---- */

struct view *view_new_empty(void)
{
	struct view *view = mem_zalloc(1, sizeof(*view));

	atomic_init(&view->references, 1);
	view->cluster_id = -1;
	return view;
}

static size_t *counter_of(struct view *view, enum place place)
{
	switch (place) {
	case PLACE_MASTER:
		return &view->masters;
	case PLACE_SLAVE:
		return &view->slaves;
	case PLACE_LOST:
		return &view->lost;
	case PLACE_CLUSTERLESS:
		break;
	}
	return &view->clusterless;
}

static void count_in(struct view *view, const struct node_view *node)
{
	++*counter_of(view, node->state);
	if (node->state == PLACE_MASTER)
		view->master = node;
}

static void count_out(struct view *view, const struct node_view *node)
{
	--*counter_of(view, node->state);
	if (view->master == node)
		view->master = NULL;
}

/* A page that is like `page` (NULL: empty), but for what stands at that order: `node`, or (NULL) nothing. */
static struct view_page *page_with(const struct view_page *page, size_t order, struct node_view *node)
{
	struct node_view *nodes[VIEW_PAGE];
	uint64_t before = page != NULL ? page->has : 0;
	uint64_t has = node != NULL ? before | bit_of(order) : before & ~bit_of(order);
	size_t count = 0;

	for (uint64_t rest = has; rest != 0; rest &= rest - 1) {
		size_t at = order - order % VIEW_PAGE + (size_t)__builtin_ctzll(rest);

		nodes[count++] = at == order ? node : page->nodes[place_in(page, at)];
	}
	return has != 0 ? page_new(order - order % VIEW_PAGE, has, nodes) : NULL;
}

static void insert_page(struct view *view, size_t at, struct view_page *page)
{
	view->pages = mem_grow(view->pages, view->page_count + 1, sizeof(struct view_page *));
	memmove(&view->pages[at + 1], &view->pages[at], (view->page_count - at) * sizeof(struct view_page *));
	view->pages[at] = page;
	view->page_count++;
}

static void remove_page(struct view *view, size_t at)
{
	view->page_count--;
	memmove(&view->pages[at], &view->pages[at + 1], (view->page_count - at) * sizeof(struct view_page *));
}

/* Puts the page (NULL: none) where `old` (NULL: none) is. */
static void replace_page(struct view *view, size_t at, struct view_page *old, struct view_page *page)
{
	if (old == NULL && page != NULL)
		insert_page(view, at, page);
	else if (old != NULL && page == NULL)
		remove_page(view, at);
	else if (page != NULL)
		view->pages[at] = page;
	if (old != NULL)
		page_unref(old);
}

void view_put(struct view *view, size_t order, struct node_view *node)
{
	struct view_page *page = page_for(view, order);
	const struct node_view *before = view_find(view, order);

	if (before == node)
		return;
	if (before != NULL)
		count_out(view, before);
	if (node != NULL)
		count_in(view, node);
	if (before != NULL && node != NULL && atomic_load(&page->references) == 1) {
		struct node_view **place = &page->nodes[place_in(page, order)];

		node_view_unref(place);
		*place = node_view_ref(node);
		return;
	}
	replace_page(view, page_at(view, order), page, page_with(page, order, node));
}

struct view *view_copy(const struct view *view)
{
	struct view *copy = view_new_empty();

	copy->cluster_id = view->cluster_id;
	copy->master = view->master;
	copy->masters = view->masters;
	copy->slaves = view->slaves;
	copy->lost = view->lost;
	copy->clusterless = view->clusterless;
	copy->pages = mem_zalloc(view->page_count, sizeof(struct view_page *));
	copy->page_count = view->page_count;
	for (size_t i = 0; i < view->page_count; i++) {
		copy->pages[i] = view->pages[i];
		atomic_fetch_add(&copy->pages[i]->references, 1);
	}
	return copy;
}

static const struct list *nodes_of(const struct fleet *fleet, const struct cluster *cluster)
{
	return cluster != NULL ? &cluster->members : &fleet->clusterless;
}

/* How many pages these nodes need at most. */
static size_t pages_for(const struct list *nodes)
{
	size_t pages = nodes->count > 0
			       ? ((const struct node *)nodes->items[nodes->count - 1])->order / VIEW_PAGE + 1
			       : 0;

	return pages < nodes->count ? pages : nodes->count;
}

/* The page of `old` (NULL: no view) if it has just these nodes; NULL: it has others. The caller's reference. */
static struct view_page *same_page(const struct view *old, size_t first, uint64_t has, struct node_view *const *nodes)
{
	struct view_page *page = old != NULL ? page_for(old, first + (size_t)__builtin_ctzll(has)) : NULL;

	if (page == NULL || page->has != has || memcmp(page->nodes, nodes, count_of(page) * sizeof(struct node_view *)) != 0)
		return NULL;
	atomic_fetch_add(&page->references, 1);
	return page;
}

/* Appends the page that begins with nodes->items[from]; returns where the next one begins. */
static size_t add_page(struct view *view, const struct view *old, const struct list *nodes, size_t from)
{
	size_t order = ((const struct node *)nodes->items[from])->order;
	size_t first = order - order % VIEW_PAGE;
	struct node_view *shown[VIEW_PAGE];
	struct view_page *page;
	size_t count = 0;
	uint64_t has = 0;

	for (; from < nodes->count; from++) {
		struct node *node = nodes->items[from];

		if (node->order >= first + VIEW_PAGE)
			break;
		has |= bit_of(node->order);
		shown[count] = node_view_of(node);
		count_in(view, shown[count++]);
	}
	page = same_page(old, first, has, shown);
	view->pages[view->page_count++] = page != NULL ? page : page_new(first, has, shown);
	return from;
}

/* The picture of these nodes, which shares with `old` (NULL: none) what is the same. */
static struct view *make(const struct fleet *fleet, const struct cluster *cluster, const struct view *old)
{
	const struct list *nodes = nodes_of(fleet, cluster);
	struct view *view = view_new_empty();
	size_t at = 0;

	view->cluster_id = cluster != NULL ? cluster->id : -1;
	view->pages = mem_zalloc(pages_for(nodes), sizeof(struct view_page *));
	while (at < nodes->count)
		at = add_page(view, old, nodes, at);
	return view;
}

struct view *view_new(const struct fleet *fleet, const struct cluster *cluster)
{
	return make(fleet, cluster, NULL);
}

static bool has_same_pages(const struct view *a, const struct view *b)
{
	return a->page_count == b->page_count &&
	       (a->page_count == 0 || memcmp(a->pages, b->pages, a->page_count * sizeof(struct view_page *)) == 0);
}

bool view_renew(struct view **view_p, const struct fleet *fleet, const struct cluster *cluster)
{
	struct view *old = *view_p;
	struct view *view = make(fleet, cluster, old);

	if (has_same_pages(view, old) && view->cluster_id == old->cluster_id) {
		view_unref(&view);
		return false;
	}
	*view_p = view;
	view_unref(&old);
	return true;
}

/* What `page` has that the picture does not hold as well. */
static size_t page_bytes_beside(const struct view_page *page, const struct view *beside)
{
	const struct view_page *other = beside != NULL ? page_for(beside, page->first + (size_t)__builtin_ctzll(page->has))
						       : NULL;
	size_t bytes = page_bytes(count_of(page));

	if (other == page)
		return 0;
	for (uint64_t rest = page->has; rest != 0; rest &= rest - 1) {
		size_t order = page->first + (size_t)__builtin_ctzll(rest);
		const struct node_view *node = page->nodes[place_in(page, order)];

		if (other == NULL || (other->has & bit_of(order)) == 0 || other->nodes[place_in(other, order)] != node)
			bytes += node->bytes;
	}
	return bytes;
}

size_t view_bytes(const struct view *view, const struct view *beside)
{
	size_t bytes = sizeof(*view) + view->page_count * sizeof(struct view_page *);

	if (view == beside)
		return 0;
	for (size_t i = 0; i < view->page_count; i++)
		bytes += page_bytes_beside(view->pages[i], beside);
	return bytes;
}

struct view *view_ref(struct view *view)
{
	atomic_fetch_add(&view->references, 1);
	return view;
}

void view_unref(struct view **view_p)
{
	struct view *view = *view_p;

	*view_p = NULL;
	if (view == NULL || atomic_fetch_sub(&view->references, 1) > 1)
		return;
	for (size_t i = 0; i < view->page_count; i++)
		page_unref(view->pages[i]);
	free(view->pages);
	free(view);
}

size_t view_size(const struct view *view)
{
	return view->masters + view->slaves + view->lost + view->clusterless;
}
