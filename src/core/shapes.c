/* The JSON shapes of view.h: contract.md, "JSON" and "Control socket". */
#include "base/json.h"
#include "core/view.h"

static void add_seed_keys(struct json *json, const struct node_view *node)
{
	json_key(json, "host");
	json_string(json, node->host);
	json_key(json, "port");
	json_int(json, node->port);
	json_key(json, "cluster_id");
	json_int(json, node->cluster_id);
	json_key(json, "is_slave");
	json_bool(json, node->is_slave);
	json_key(json, "master_name");
	json_string(json, node->master_name);
}

static void add_further_keys(struct json *json, const struct node_view *node)
{
	json_key(json, "name");
	json_string(json, node->name);
	json_key(json, "state");
	json_string(json, place_name(node->state));
	json_key(json, "lag");
	if (node->has_lag)
		json_seconds(json, node->lag_ms);
	else
		json_null(json);
	json_key(json, "reason");
	json_string(json, node->reason != REASON_NONE ? reason_name(node->reason) : NULL);
	json_key(json, "message");
	json_string(json, node->message);
	json_key(json, "since");
	json_seconds(json, node->since_ms);
	json_key(json, "server_version");
	if (node->server_version > 0)
		json_int(json, node->server_version);
	else
		json_null(json);
}

static void add_node(struct json *json, const struct node_view *node, bool full)
{
	json_begin_object(json);
	add_seed_keys(json, node);
	if (full)
		add_further_keys(json, node);
	json_end_object(json);
}

static void add_nodes(struct json *json, const char *key, const struct node_view *nodes,
		      size_t count, bool full)
{
	json_key(json, key);
	json_begin_array(json);
	for (size_t i = 0; i < count; i++)
		add_node(json, &nodes[i], full);
	json_end_array(json);
}

static void add_members(struct json *json, const struct view *view, bool full)
{
	const struct node_view *at = view->nodes;

	json_key(json, "master");
	if (view->masters > 0)
		add_node(json, at, full);
	else
		json_null(json);
	at += view->masters;
	add_nodes(json, "slaves", at, view->slaves, full);
	add_nodes(json, "lost", at + view->slaves, view->lost, full);
}

static void add_clusterless(struct json *json, const struct view *view, bool full)
{
	add_nodes(json, "clusterless", view->nodes + view->masters + view->slaves + view->lost,
		  view->clusterless, full);
}

void event_render(const struct event *event, struct buf *out)
{
	struct json json = { .out = out };

	json_begin_object(&json);
	json_key(&json, "cluster_id");
	json_int(&json, event->cluster_id);
	json_key(&json, "trigger");
	if (event->has_node)
		add_node(&json, &event->node, false);
	else
		json_null(&json);
	add_members(&json, event->view, false);
	add_clusterless(&json, event->view, false);
	json_end_object(&json);
}

static void add_cluster(struct json *json, const struct view *view, bool full)
{
	json_begin_object(json);
	json_key(json, "cluster_id");
	json_int(json, view->cluster_id);
	json_key(json, "has_master");
	json_bool(json, view->masters > 0);
	add_members(json, view, full);
	json_end_object(json);
}

static void add_status(const struct fleet *fleet, struct json *json, bool full)
{
	struct view *none = view_new(fleet, NULL);

	json_key(json, "clusters");
	json_begin_array(json);
	for (size_t i = 0; i < fleet->clusters.count; i++) {
		struct view *view = view_new(fleet, fleet->clusters.items[i]);

		add_cluster(json, view, full);
		view_unref(&view);
	}
	json_end_array(json);
	add_clusterless(json, none, full);
	view_unref(&none);
}

void status_render(const struct fleet *fleet, struct buf *out)
{
	struct json json = { .out = out };

	json_begin_object(&json);
	add_status(fleet, &json, false);
	json_end_object(&json);
	buf_add_char(out, '\n');
}

void status_render_full(const struct fleet *fleet, struct json *json)
{
	add_status(fleet, json, true);
}
