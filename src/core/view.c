#include "core/view.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/verdict.h"

static void why(const struct node *node, enum reason *reason, const char **message)
{
	bool in_place = node_is_in_place(node);
	bool is_shut = node->door.reason != REASON_NONE;
	bool by_failure = node->failure.attempts > 0 &&
			  (!in_place || (node->failure.held && !is_shut));

	*reason = REASON_NONE;
	*message = NULL;
	if (by_failure) {
		*reason = node->failure.reason;
		*message = node->failure.message;
	} else if (!in_place && node->reason != REASON_NONE) {
		*reason = node->reason; /* a door that is shut does not keep it out: it answers */
		*message = node->message;
	} else if (is_shut) {
		*reason = node->door.reason;
		*message = node->door.message;
	}
}

static void take_node(struct node_view *view, const struct node *node)
{
	const char *message;

	*view = (struct node_view){
		.host = mem_strdup(node->config->host),
		.port = node->config->port,
		.cluster_id = node->cluster != NULL ? node->cluster->id : -1,
		.is_slave = node->is_slave,
		.master_name = mem_strdup(node->is_slave ? node->master_name : ""),
		.name = mem_strdup(node->config->name),
		.state = node->place,
		.since_ms = node->since_ms,
		.server_version = node->server_version,
	};
	view->has_lag = node_lag(node, &view->lag_ms);
	why(node, &view->reason, &message);
	view->message = mem_strdup(message);
	if (node_is_failing(node))
		view->failing = mem_printf("%s: %s", reason_name(node->failure.reason), node->failure.message);
}

static void free_node_view(struct node_view *node)
{
	free(node->host);
	free(node->master_name);
	free(node->name);
	free(node->message);
	free(node->failing);
}

struct node_view node_view_of(const struct node *node)
{
	struct node_view view;

	take_node(&view, node);
	return view;
}

void node_view_clear(struct node_view *view)
{
	free_node_view(view);
}

/* Takes those of `nodes` that are in `place`; how many there are. */
static size_t take_place(struct view *view, size_t at, struct node *const *nodes, size_t count,
			 enum place place)
{
	size_t start = at;

	for (size_t i = 0; i < count; i++) {
		if (nodes[i]->place == place)
			take_node(&view->nodes[at++], nodes[i]);
	}
	return at - start;
}

static size_t take_members(struct view *view, const struct cluster *cluster)
{
	struct node *const *nodes = (struct node *const *)cluster->members.items;
	size_t count = cluster->members.count;
	size_t at;

	view->masters = take_place(view, 0, nodes, count, PLACE_MASTER);
	at = view->masters;
	view->slaves = take_place(view, at, nodes, count, PLACE_SLAVE);
	at += view->slaves;
	view->lost = take_place(view, at, nodes, count, PLACE_LOST);
	return at + view->lost;
}

struct view *view_new(const struct fleet *fleet, const struct cluster *cluster)
{
	struct view *view = mem_zalloc(1, sizeof(*view));
	size_t at = 0;

	atomic_init(&view->references, 1);
	view->cluster_id = cluster != NULL ? cluster->id : -1;
	view->nodes = mem_zalloc(fleet->node_count, sizeof(*view->nodes));
	if (cluster != NULL)
		at = take_members(view, cluster);
	view->clusterless =
		take_place(view, at, fleet->nodes, fleet->node_count, PLACE_CLUSTERLESS);
	return view;
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
	for (size_t i = 0; i < view->masters + view->slaves + view->lost + view->clusterless; i++)
		free_node_view(&view->nodes[i]);
	free(view->nodes);
	free(view);
}

struct event *event_new(enum event_kind kind, const char *id, struct view *view, int64_t time_ms)
{
	struct event *event = mem_zalloc(1, sizeof(*event));

	atomic_init(&event->references, 1);
	event->kind = kind;
	text_copy(event->id, sizeof(event->id), id);
	event->time_ms = time_ms;
	event->view = view_ref(view);
	event->cluster_id = view->cluster_id;
	event->came_from = -1;
	return event;
}

void event_set_node(struct event *event, const struct node *node, enum rule rule,
		    enum reason reason, const char *message)
{
	take_node(&event->node, node);
	event->has_node = true;
	event->rule = rule;
	if (reason == REASON_NONE)
		return;
	event->node.reason = reason;
	free(event->node.message);
	event->node.message = mem_strdup(message);
}

struct event *event_ref(struct event *event)
{
	atomic_fetch_add(&event->references, 1);
	return event;
}

void event_unref(struct event **event_p)
{
	struct event *event = *event_p;

	*event_p = NULL;
	if (event == NULL || atomic_fetch_sub(&event->references, 1) > 1)
		return;
	if (event->has_node)
		free_node_view(&event->node);
	view_unref(&event->view);
	free(event);
}
