/* The JSON shapes of view.h: contract.md, "JSON" and "Control socket". */
#include "base/json.h"
#include "core/view.h"

static void add_further_keys(struct json *json, const struct node_view *node)
{
	jsonw_key(json, "name");
	jsonw_string(json, node->name);
	jsonw_key(json, "state");
	jsonw_string(json, place_name(node->state));
	jsonw_key(json, "condition");
	jsonw_string(json, condition_name(node->condition));
	jsonw_key(json, "lag");
	if (node->has_lag)
		jsonw_seconds(json, node->lag_ms);
	else
		jsonw_null(json);
	jsonw_key(json, "reason");
	jsonw_string(json, node->reason != REASON_NONE ? reason_name(node->reason) : NULL);
	jsonw_key(json, "message");
	jsonw_string(json, node->message);
	if (node->failing != NULL) {
		jsonw_key(json, "failing");
		jsonw_string(json, node->failing);
	}
	jsonw_key(json, "since");
	jsonw_seconds(json, node->since_ms);
	jsonw_key(json, "server_version");
	if (node->server_version > 0)
		jsonw_int(json, node->server_version);
	else
		jsonw_null(json);
}

/* Writes the node's text without its last brace, so that further keys can follow. */
static void begin_with_text(struct json *json, const struct node_view *node)
{
	if (json->comma)
		buf_add_char(json->out, ',');
	buf_add(json->out, node->text, node->text_bytes - 1);
	json->comma = true;
}

void node_view_render(const struct node_view *node, bool full, struct json *json)
{
	if (!full) {
		jsonw_raw(json, node->text);
		return;
	}
	begin_with_text(json, node);
	add_further_keys(json, node);
	jsonw_end_object(json);
}

/* Writes the nodes of the picture that are in this place. */
static void add_array(struct json *json, const struct view *view, enum place place, bool full)
{
	struct view_walk walk = view_walk(view, place);
	const struct node_view *node;

	jsonw_begin_array(json);
	while ((node = view_walk_next(&walk)) != NULL)
		node_view_render(node, full, json);
	jsonw_end_array(json);
}

static void add_nodes(struct json *json, const char *key, const struct view *view, enum place place, bool full)
{
	jsonw_key(json, key);
	add_array(json, view, place, full);
}

static void add_members(struct json *json, const struct view *view, bool full)
{
	jsonw_key(json, "master");
	if (view->master != NULL)
		node_view_render(view->master, full, json);
	else
		jsonw_null(json);
	add_nodes(json, "slaves", view, PLACE_SLAVE, full);
	add_nodes(json, "lost", view, PLACE_LOST, full);
}

void event_render(const struct event *event, struct buf *out)
{
	struct json json = { .out = out };

	jsonw_begin_object(&json);
	jsonw_key(&json, "cluster_id");
	jsonw_int(&json, event->cluster_id);
	jsonw_key(&json, "trigger");
	if (event->node != NULL)
		node_view_render(event->node, false, &json);
	else
		jsonw_null(&json);
	add_members(&json, event->view, false);
	add_nodes(&json, "clusterless", event->others, PLACE_CLUSTERLESS, false);
	jsonw_end_object(&json);
}

/* Writes what stands before the node with the index `at`, or, if `at` is the number of nodes, behind the last one. */
static void add_before(const struct view *view, size_t at, struct json *json)
{
	if (at == 0) {
		jsonw_begin_object(json);
		jsonw_key(json, "cluster_id");
		jsonw_int(json, view->cluster_id);
		jsonw_key(json, "has_master");
		jsonw_bool(json, view->masters > 0);
		jsonw_key(json, "master");
		if (view->masters == 0)
			jsonw_null(json);
	}
	if (at == view->masters) {
		jsonw_key(json, "slaves");
		jsonw_begin_array(json);
	}
	if (at == view->masters + view->slaves) {
		jsonw_end_array(json);
		jsonw_key(json, "lost");
		jsonw_begin_array(json);
	}
	if (at == view_size(view)) {
		jsonw_end_array(json);
		jsonw_end_object(json);
	}
}

static void add_before_clusterless(const struct view *view, size_t at, struct json *json)
{
	if (at == 0)
		jsonw_begin_array(json);
	if (at == view_size(view))
		jsonw_end_array(json);
}

void view_render_part(struct view_walk *walk, size_t nodes, bool full, struct json *json)
{
	const struct view *view = walk->view;
	void (*before)(const struct view *, size_t, struct json *) =
		view->cluster_id < 0 ? add_before_clusterless : add_before;

	for (; nodes > 0 && walk->count < view_size(view); nodes--) {
		before(view, walk->count, json);
		node_view_render(view_walk_next(walk), full, json);
	}
	if (walk->count == view_size(view))
		before(view, walk->count, json);
}

void view_render(const struct view *view, bool full, struct json *json)
{
	struct view_walk walk = view_walk_all(view);

	view_render_part(&walk, view_size(view), full, json);
}
