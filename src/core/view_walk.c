/* Walks from one node of a picture to the next: view_walk() and the functions that follow it in view.h. */
#include "core/view.h"
#include "core/view_page.h"

struct view_walk view_walk(const struct view *view, enum place place)
{
	return (struct view_walk){ .view = view, .place = place };
}

struct view_walk view_walk_all(const struct view *view)
{
	return (struct view_walk){ .view = view, .place = view->cluster_id < 0 ? PLACE_CLUSTERLESS : PLACE_MASTER, .all = true };
}

/* Returns the next node of the walk's present place; NULL: there is no more. */
static const struct node_view *next_in_place(struct view_walk *walk)
{
	for (; walk->page < walk->view->page_count; walk->page++, walk->at = 0) {
		const struct view_page *page = walk->view->pages[walk->page];
		size_t count = view_page_count(page);

		while (walk->at < count) {
			const struct node_view *node = page->nodes[walk->at++];

			if (node->state == walk->place)
				return node;
		}
	}
	return NULL;
}

/* Goes on from master to slave and from slave to lost; false: there is no further place. */
static bool has_next_place(struct view_walk *walk)
{
	if (!walk->all || walk->place == PLACE_CLUSTERLESS || walk->place == PLACE_LOST)
		return false;
	walk->place = walk->place == PLACE_MASTER ? PLACE_SLAVE : PLACE_LOST;
	walk->page = 0;
	walk->at = 0;
	return true;
}

const struct node_view *view_walk_next(struct view_walk *walk)
{
	const struct node_view *node = NULL;

	if (walk->place == PLACE_MASTER && walk->page == 0 && walk->at == 0) {
		node = walk->view->master; /* it may be in any page, and the view knows it */
		walk->page = walk->view->page_count;
	}
	while (node == NULL && (node = next_in_place(walk)) == NULL && has_next_place(walk))
		;
	walk->count += node != NULL;
	return node;
}
