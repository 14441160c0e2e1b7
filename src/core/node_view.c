#include "core/node_view.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

/* Renders the node with the seed's keys (contract.md, "JSON"). */
static void add_object(const struct node_view *node, struct json *json)
{
	jsonw_begin_object(json);
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
	jsonw_end_object(json);
}

static size_t size_of(const char *text)
{
	return text != NULL ? strlen(text) + 1 : 0;
}

/* Copies the text to `*at`, moves `*at` behind it, and returns the copy; NULL stays NULL. */
static const char *put(char **at, const char *text)
{
	size_t size = size_of(text);
	char *start = *at;

	if (text == NULL)
		return NULL;
	memcpy(start, text, size);
	*at += size;
	return start;
}

/* Copies all fields but the count of references, which other threads may change meanwhile. */
static void copy_fields(struct node_view *to, const struct node_view *from)
{
	size_t start = offsetof(struct node_view, port);

	memcpy((char *)to + start, (const char *)from + start, sizeof(*to) - start);
}

/* Makes a copy of `what`, which has its text. */
static struct node_view *copy(const struct node_view *what)
{
	size_t bytes = sizeof(*what) + size_of(what->host) + size_of(what->name) + size_of(what->master_name) +
		       size_of(what->message) + size_of(what->failing) + size_of(what->first) + what->text_bytes + 1;
	struct node_view *view = mem_alloc(bytes);
	char *at = (char *)(view + 1);

	copy_fields(view, what);
	if (view->meter != NULL)
		(void)node_meter_ref(view->meter);
	atomic_init(&view->references, 1);
	view->bytes = bytes;
	view->host = put(&at, what->host);
	view->name = put(&at, what->name);
	view->master_name = put(&at, what->master_name);
	view->message = put(&at, what->message);
	view->failing = put(&at, what->failing);
	view->first = put(&at, what->first);
	view->text = put(&at, what->text);
	return view;
}

struct node_view *node_view_new(const struct node_view *what)
{
	struct node_view shown;
	struct node_view *view;
	struct buf text = { 0 };
	struct json json = { .out = &text };

	if (what->text != NULL)
		return copy(what);
	copy_fields(&shown, what);
	add_object(what, &json);
	shown.text = text.data;
	shown.text_bytes = text.len;
	view = copy(&shown);
	buf_free(&text);
	return view;
}

struct node_view *node_view_with_reason(const struct node_view *node, enum reason reason, const char *message)
{
	struct node_view shown;

	copy_fields(&shown, node);
	shown.reason = reason;
	shown.message = message;
	return copy(&shown);
}

struct node_view *node_view_ref(struct node_view *view)
{
	atomic_fetch_add(&view->references, 1);
	return view;
}

void node_view_unref(struct node_view **view_p)
{
	struct node_view *view = *view_p;

	*view_p = NULL;
	if (view == NULL || atomic_fetch_sub(&view->references, 1) > 1)
		return;
	node_meter_unref(&view->meter);
	free(view);
}
