#include "core/saved_keys.h"

#include "base/mem.h"

char *saved_keys_cluster(int id)
{
	return mem_printf(SAVED_CLUSTER "%d", id);
}

char *saved_keys_node(const char *id)
{
	return mem_printf(SAVED_NODE "%s", id);
}

void saved_keys_render_meta(const struct fleet *fleet, unsigned long event_count, struct buf *out)
{
	struct json json = { .out = out };

	jsonw_begin_object(&json);
	saved_add_counts(&json, fleet, event_count);
	jsonw_end_object(&json);
}

void saved_keys_render_cluster(const struct cluster *cluster, struct buf *out)
{
	struct json json = { .out = out };

	jsonw_begin_object(&json);
	saved_add_cluster(&json, cluster, false);
	jsonw_end_object(&json);
}

void saved_keys_render_node(const struct node *node, const struct moment *now, struct buf *out)
{
	struct json json = { .out = out };

	jsonw_begin_object(&json);
	saved_add_node(&json, node, false, now);
	jsonw_end_object(&json);
}
