/* The JSON shapes of view.h: contract.md, "JSON" and "Control socket". */
#include "base/json.h"
#include "core/view.h"

static void add_seed_keys(struct json *json, const struct node_view *node)
{
	jsonw_key(json, "host");
	jsonw_string(json, node->host);
	jsonw_key(json, "port");
	jsonw_int(json, node->port);
	jsonw_key(json, "cluster_id");
	jsonw_int(json, node->cluster_id);
	jsonw_key(json, "is_slave");
	jsonw_bool(json, node->is_slave);
	jsonw_key(json, "master_name");
	jsonw_string(json, node->master_name);
}

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

void node_view_render(const struct node_view *node, bool full, struct json *json)
{
	jsonw_begin_object(json);
	add_seed_keys(json, node);
	if (full)
		add_further_keys(json, node);
	jsonw_end_object(json);
}

static void add_array(struct json *json, const struct node_view *nodes, size_t count, bool full)
{
	jsonw_begin_array(json);
	for (size_t i = 0; i < count; i++)
		node_view_render(&nodes[i], full, json);
	jsonw_end_array(json);
}

static void add_nodes(struct json *json, const char *key, const struct node_view *nodes,
		      size_t count, bool full)
{
	jsonw_key(json, key);
	add_array(json, nodes, count, full);
}

static void add_members(struct json *json, const struct view *view, bool full)
{
	const struct node_view *at = view->nodes;

	jsonw_key(json, "master");
	if (view->masters > 0)
		node_view_render(at, full, json);
	else
		jsonw_null(json);
	at += view->masters;
	add_nodes(json, "slaves", at, view->slaves, full);
	add_nodes(json, "lost", at + view->slaves, view->lost, full);
}

void event_render(const struct event *event, struct buf *out)
{
	struct json json = { .out = out };

	jsonw_begin_object(&json);
	jsonw_key(&json, "cluster_id");
	jsonw_int(&json, event->cluster_id);
	jsonw_key(&json, "trigger");
	if (event->has_node)
		node_view_render(&event->node, false, &json);
	else
		jsonw_null(&json);
	add_members(&json, event->view, false);
	add_nodes(&json, "clusterless", event->others->nodes, event->others->clusterless, false);
	jsonw_end_object(&json);
}

size_t view_size(const struct view *view)
{
	return view->masters + view->slaves + view->lost + view->clusterless;
}

/* What stands before the node at `at`, or behind the last one. */
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

void view_render_part(const struct view *view, size_t from, size_t to, bool full, struct json *json)
{
	void (*before)(const struct view *, size_t, struct json *) =
		view->cluster_id < 0 ? add_before_clusterless : add_before;

	for (size_t i = from; i < to; i++) {
		before(view, i, json);
		node_view_render(&view->nodes[i], full, json);
	}
	if (to == view_size(view))
		before(view, to, json);
}

void view_render(const struct view *view, bool full, struct json *json)
{
	view_render_part(view, 0, view_size(view), full, json);
}
