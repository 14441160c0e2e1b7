#include "core/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/dispute.h"
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

/* Returns the name of who sat first in a dispute of which the node is the second; NULL: there is no such dispute. */
static const char *first_name_of(const struct node *node)
{
	const struct node *first = dispute_first(node);

	return first != NULL ? first->config->name : NULL;
}

/* Fills `view` with what is to be shown of the node now. Its texts belong to the node, or lie in `failing`. */
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
		.meter = node->meter,
		.placed_by = node->placed_by,
		.ruled = node->ruled,
		.judged_lag_ms = node->judged_lag_ms,
		.lag_bar_ms = node->lag_bar_ms,
		.first = first_name_of(node),
	};
	view->has_lag = node_lag(node, &view->lag_ms);
	view->condition = node_condition(node);
	view->reason = node_why(node, &view->message);
	if (!node_is_failing(node))
		return;
	(void)snprintf(failing, FAILING_BYTES, "%s: %s", reason_name(node->failure.reason), node->shown->failure);
	view->failing = failing;
}

/* Whether both have the same values for the seed's keys, and so the same JSON. */
static bool has_same_text(const struct node_view *a, const struct node_view *b)
{
	return a->port == b->port && a->cluster_id == b->cluster_id && a->is_slave == b->is_slave &&
	       strcmp(a->host, b->host) == 0 && strcmp(a->master_name, b->master_name) == 0;
}

static bool is_same(const struct node_view *a, const struct node_view *b)
{
	return a->state == b->state && a->condition == b->condition && a->reason == b->reason &&
	       a->since_ms == b->since_ms && a->server_version == b->server_version && a->placed_by == b->placed_by &&
	       a->ruled == b->ruled && a->has_lag == b->has_lag && (!a->has_lag || a->lag_ms == b->lag_ms) &&
	       a->judged_lag_ms == b->judged_lag_ms && a->lag_bar_ms == b->lag_bar_ms && has_same_text(a, b) &&
	       strcmp(a->name, b->name) == 0 && text_same(a->first, b->first) &&
	       text_same(a->message, b->message) && text_same(a->failing, b->failing);
}

/* Makes a view of what is to be shown. Its JSON is copied from `before` (may be NULL) if it is the same. */
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
	struct node *keeper = (struct node *)node; /* the view is only a cache, so the node stays const for callers */
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

/* Returns the index in the view's pages at which the one for that order is or is to be inserted. */
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
	struct view_page *page = page_for(view, order);
	struct node_view **place = page != NULL ? view_page_find(page, order) : NULL;

	return place != NULL ? *place : NULL;
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

/* Replaces `old` at that index by `page`. `old` NULL: inserts the page; `page` NULL: removes the old one. */
static void replace_page(struct view *view, size_t at, struct view_page *old, struct view_page *page)
{
	if (old == NULL && page != NULL)
		insert_page(view, at, page);
	else if (old != NULL && page == NULL)
		remove_page(view, at);
	else if (page != NULL)
		view->pages[at] = page;
	if (old != NULL)
		view_page_unref(old);
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
		struct node_view **place = view_page_find(page, order);

		node_view_unref(place);
		*place = node_view_ref(node);
		return;
	}
	replace_page(view, page_at(view, order), page, view_page_with(page, order, node));
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
	copy->meter = view->meter != NULL ? cluster_meter_ref(view->meter) : NULL;
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

/* Returns how many pages these nodes need at most. */
static size_t pages_for(const struct list *nodes)
{
	size_t pages = nodes->count > 0
			       ? ((const struct node *)nodes->items[nodes->count - 1])->order / VIEW_PAGE + 1
			       : 0;

	return pages < nodes->count ? pages : nodes->count;
}

/* Returns a reference of the page of `old` (may be NULL) that has just these nodes; NULL: there is no such page. */
static struct view_page *same_page(const struct view *old, size_t first, uint64_t has, struct node_view *const *nodes)
{
	struct view_page *page = old != NULL ? page_for(old, first + (size_t)__builtin_ctzll(has)) : NULL;

	if (page == NULL || page->has != has || memcmp(page->nodes, nodes, view_page_count(page) * sizeof(struct node_view *)) != 0)
		return NULL;
	atomic_fetch_add(&page->references, 1);
	return page;
}

/* Appends the page that begins with nodes->items[from]; returns the index with which the next page begins. */
static size_t add_page(struct view *view, const struct view *old, const struct list *nodes, size_t from)
{
	size_t order = ((const struct node *)nodes->items[from])->order;
	size_t first = order - order % VIEW_PAGE;
	struct node_view *shown[VIEW_PAGE] = { NULL };
	struct view_page *page;
	size_t count = 0;
	uint64_t has = 0;

	for (; from < nodes->count; from++) {
		struct node *node = nodes->items[from];

		if (node->order >= first + VIEW_PAGE)
			break;
		has |= view_page_bit(node->order);
		shown[count] = node_view_of(node);
		count_in(view, shown[count++]);
	}
	page = same_page(old, first, has, shown);
	view->pages[view->page_count++] = page != NULL ? page : view_page_new(first, has, shown);
	return from;
}

/* Makes the picture of these nodes, which shares with `old` (may be NULL) what is the same. */
static struct view *make(const struct fleet *fleet, const struct cluster *cluster, const struct view *old)
{
	const struct list *nodes = nodes_of(fleet, cluster);
	struct view *view = view_new_empty();
	size_t at = 0;

	view->cluster_id = cluster != NULL ? cluster->id : -1;
	view->meter = cluster != NULL ? cluster_meter_ref(cluster->meter) : NULL;
	view->pages = mem_zalloc(pages_for(nodes), sizeof(struct view_page *));
	while (at < nodes->count)
		at = add_page(view, old, nodes, at);
	return view;
}

struct view *view_new(const struct fleet *fleet, const struct cluster *cluster)
{
	return make(fleet, cluster, NULL);
}

/* Whether the picture shows exactly these nodes, with their present orders, as they are. */
static bool is_current(const struct view *view, const struct list *nodes)
{
	size_t at = 0;

	if (view_size(view) != nodes->count)
		return false;
	for (size_t i = 0; i < view->page_count; i++) {
		const struct view_page *page = view->pages[i];
		uint64_t rest = page->has;

		for (size_t k = 0; rest != 0; k++, rest &= rest - 1) {
			const struct node *node = nodes->items[at++];

			if (node->order != page->first + (size_t)__builtin_ctzll(rest) ||
			    node_view_of(node) != page->nodes[k])
				return false;
		}
	}
	return true;
}

bool view_renew(struct view **view_p, const struct fleet *fleet, const struct cluster *cluster)
{
	struct view *old = *view_p;

	if (is_current(old, nodes_of(fleet, cluster)))
		return false;
	*view_p = make(fleet, cluster, old);
	view_unref(&old);
	return true;
}

size_t view_bytes(const struct view *view, const struct view *beside)
{
	size_t bytes = sizeof(*view) + view->page_count * sizeof(struct view_page *);

	if (view == beside)
		return 0;
	for (size_t i = 0; i < view->page_count; i++) {
		const struct view_page *page = view->pages[i];

		bytes += view_page_bytes(page, beside != NULL ? page_for(beside, view_page_order(page)) : NULL);
	}
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
		view_page_unref(view->pages[i]);
	free(view->pages);
	cluster_meter_unref(&view->meter);
	free(view);
}

size_t view_size(const struct view *view)
{
	return view->masters + view->slaves + view->lost + view->clusterless;
}
