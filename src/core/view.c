#include "core/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/verdict.h"

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
	view->condition = node_condition(node);
	view->reason = node_why(node, &message);
	view->message = mem_strdup(message);
	if (node_is_failing(node))
		view->failing = mem_printf("%s: %s", reason_name(node->failure.reason), node->shown->failure);
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

static bool shows_failing(const char *shown, const struct node *node)
{
	const char *name = reason_name(node->failure.reason);
	size_t len = strlen(name);

	if (!node_is_failing(node) || shown == NULL)
		return shown == NULL && !node_is_failing(node);
	return strncmp(shown, name, len) == 0 && strncmp(shown + len, ": ", 2) == 0 &&
	       strcmp(shown + len + 2, node->shown->failure) == 0;
}

static bool shows_lag(const struct node_view *view, const struct node *node)
{
	int64_t lag_ms = 0;
	bool has_lag = node_lag(node, &lag_ms);

	return view->has_lag == has_lag && (!has_lag || view->lag_ms == lag_ms);
}

/* Whether `view` is what take_node() would make of the node now. */
static bool shows_node(const struct node_view *view, const struct node *node)
{
	const char *message;
	enum reason reason = node_why(node, &message);

	return view->port == node->config->port &&
	       view->cluster_id == (node->cluster != NULL ? node->cluster->id : -1) &&
	       view->is_slave == node->is_slave && view->state == node->place &&
	       view->since_ms == node->since_ms && view->server_version == node->server_version &&
	       view->condition == node_condition(node) && view->reason == reason && text_same(view->message, message) &&
	       strcmp(view->host, node->config->host) == 0 &&
	       strcmp(view->name, node->config->name) == 0 &&
	       strcmp(view->master_name, node->is_slave ? node->master_name : "") == 0 &&
	       shows_lag(view, node) && shows_failing(view->failing, node);
}

/* Takes those of `nodes` that are in `place`, to `at` and behind; how many there are. */
static size_t take_place(struct view *view, size_t at, const struct list *nodes, enum place place)
{
	size_t start = at;

	for (size_t i = 0; i < nodes->count; i++) {
		const struct node *node = nodes->items[i];

		if (node->place == place)
			take_node(&view->nodes[at++], node);
	}
	return at - start;
}

static size_t count_place(const struct list *nodes, enum place place)
{
	size_t count = 0;

	for (size_t i = 0; i < nodes->count; i++)
		count += ((const struct node *)nodes->items[i])->place == place;
	return count;
}

static const struct list *nodes_of(const struct fleet *fleet, const struct cluster *cluster)
{
	return cluster != NULL ? &cluster->members : &fleet->clusterless;
}

struct view *view_new_empty(void)
{
	struct view *view = mem_zalloc(1, sizeof(*view));

	atomic_init(&view->references, 1);
	view->cluster_id = -1;
	return view;
}

struct view *view_new(const struct fleet *fleet, const struct cluster *cluster)
{
	const struct list *nodes = nodes_of(fleet, cluster);
	struct view *view = view_new_empty();
	struct buf text = { 0 };
	struct json json = { .out = &text };
	size_t at = 0;

	view->cluster_id = cluster != NULL ? cluster->id : -1;
	view->nodes = mem_zalloc(nodes->count, sizeof(*view->nodes));
	at += view->masters = take_place(view, at, nodes, PLACE_MASTER);
	at += view->slaves = take_place(view, at, nodes, PLACE_SLAVE);
	at += view->lost = take_place(view, at, nodes, PLACE_LOST);
	view->clusterless = take_place(view, at, nodes, PLACE_CLUSTERLESS);
	view_render(view, false, &json);
	view->text_bytes = text.len;
	view->text = buf_steal(&text);
	return view;
}

/* The nodes of a place are shown, as they are, from `*at` on. */
static bool shows_place(const struct view *view, size_t *at, const struct list *nodes,
			enum place place)
{
	for (size_t i = 0; i < nodes->count; i++) {
		const struct node *node = nodes->items[i];

		if (node->place == place && !shows_node(&view->nodes[(*at)++], node))
			return false;
	}
	return true;
}

bool view_is_current(const struct view *view, const struct fleet *fleet,
		     const struct cluster *cluster)
{
	const struct list *nodes = nodes_of(fleet, cluster);
	size_t at = 0;

	return view_size(view) == nodes->count &&
	       view->masters == count_place(nodes, PLACE_MASTER) &&
	       view->slaves == count_place(nodes, PLACE_SLAVE) &&
	       view->lost == count_place(nodes, PLACE_LOST) &&
	       shows_place(view, &at, nodes, PLACE_MASTER) &&
	       shows_place(view, &at, nodes, PLACE_SLAVE) &&
	       shows_place(view, &at, nodes, PLACE_LOST) &&
	       shows_place(view, &at, nodes, PLACE_CLUSTERLESS);
}

bool view_shows(const struct view *view, size_t place, const struct node *node)
{
	return place < view_size(view) && shows_node(&view->nodes[place], node);
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
	for (size_t i = 0; i < view_size(view); i++)
		free_node_view(&view->nodes[i]);
	free(view->nodes);
	free(view->text);
	free(view);
}

struct event *event_new(enum event_kind kind, const char *id, struct view *view,
			struct view *others, int64_t time_ms)
{
	struct event *event = mem_zalloc(1, sizeof(*event));

	atomic_init(&event->references, 1);
	event->kind = kind;
	text_copy(event->id, sizeof(event->id), id);
	event->time_ms = time_ms;
	event->view = view_ref(view);
	event->others = view_ref(others);
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

void event_set_witnesses(struct event *event, const struct list *nodes)
{
	event->witnesses = mem_zalloc(nodes->count, sizeof(*event->witnesses));
	for (size_t i = 0; i < nodes->count; i++)
		take_node(&event->witnesses[event->witness_count++], nodes->items[i]);
}

void event_set_rival(struct event *event, const struct node *rival)
{
	take_node(&event->rival, rival);
	event->has_rival = true;
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
	for (size_t i = 0; i < event->witness_count; i++)
		free_node_view(&event->witnesses[i]);
	free(event->witnesses);
	if (event->has_rival)
		free_node_view(&event->rival);
	view_unref(&event->view);
	view_unref(&event->others);
	free(event);
}
