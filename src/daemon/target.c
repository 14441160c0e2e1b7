#include "daemon/target.h"

#include <string.h>

#include "base/mem.h"

#define NAMED_MOST 10 /* names or ids that an error lists */

const struct node *target_find_node(const struct fleet *fleet, const char *name, size_t *found)
{
	const struct config_node *of_id = config_find_node(fleet->config, name);
	const struct node *node = NULL;

	*found = 1;
	if (of_id != NULL)
		return fleet->nodes[of_id - fleet->config->nodes];
	*found = 0;
	for (size_t i = 0; i < fleet->node_count; i++) {
		if (strcmp(fleet->nodes[i]->config->name, name) == 0) {
			node = fleet->nodes[i];
			++*found;
		}
	}
	return node;
}

static char *say_which(const struct fleet *fleet, const char *name)
{
	struct buf out = { 0 };
	size_t named = 0;

	buf_add_str(&out, "several nodes have this name: \"host:port\" tells which: ");
	for (size_t i = 0; i < fleet->node_count && named <= NAMED_MOST; i++) {
		const struct config_node *node = fleet->nodes[i]->config;

		if (strcmp(node->name, name) != 0)
			continue;
		buf_addf(&out, "%s%s", named > 0 ? ", " : "", named < NAMED_MOST ? node->id : "...");
		named++;
	}
	return buf_steal(&out);
}

static char *say_clusters(const struct fleet *fleet, const char *id)
{
	struct buf out = { 0 };

	buf_addf(&out, "there is no cluster %s, ", id);
	buf_add_str(&out, fleet->clusters.count > 0 ? "but " : "nor any other");
	for (size_t i = 0; i < fleet->clusters.count && i <= NAMED_MOST; i++) {
		const struct cluster *cluster = fleet->clusters.items[i];

		buf_add_str(&out, i > 0 ? ", " : "");
		if (i < NAMED_MOST)
			buf_addf(&out, "%d", cluster->id);
		else
			buf_add_str(&out, "...");
	}
	return buf_steal(&out);
}

static bool has_cluster(const struct fleet *fleet, const struct silence *silence)
{
	return silence->kind == SILENCE_CLUSTER && fleet_find_cluster(fleet, silence->cluster_id) != NULL;
}

static void take_node(struct silence *silence, const struct node *node)
{
	silence->kind = SILENCE_NODE;
	silence->cluster_id = -1;
	silence->node = mem_strdup(node->config->id);
}

bool target_read(const struct fleet *fleet, const char *text, struct silence *silence, char **why, bool *is_unknown)
{
	bool is_read = silence_read_target(silence, text);
	bool is_number = is_read && silence->kind == SILENCE_CLUSTER;
	const struct node *node;
	size_t found;

	*why = NULL;
	*is_unknown = false;
	if (is_read && (silence->kind == SILENCE_ALL || has_cluster(fleet, silence)))
		return true;
	if (is_read)
		silence_clear(silence);
	node = target_find_node(fleet, text, &found);
	if (found == 1) {
		take_node(silence, node);
		return true;
	}
	*is_unknown = found == 0 && !is_number;
	if (found > 1)
		*why = say_which(fleet, text);
	else if (is_number)
		*why = say_clusters(fleet, text);
	else
		*why = mem_printf("no such node: %.200s; allowed: a node's \"host:port\" or its name, a cluster's id, \"all\"", text);
	return false;
}

static const struct config_node *node_of(const struct fleet *fleet, const struct silence *silence)
{
	return silence->kind == SILENCE_NODE ? config_find_node(fleet->config, silence->node) : NULL;
}

bool target_is_gone(const struct fleet *fleet, const struct silence *silence)
{
	switch (silence->kind) {
	case SILENCE_ALL:
		break;
	case SILENCE_CLUSTER:
		return !has_cluster(fleet, silence);
	case SILENCE_NODE:
		return node_of(fleet, silence) == NULL;
	}
	return false;
}

const char *target_name(const struct fleet *fleet, const struct silence *silence)
{
	const struct config_node *node = node_of(fleet, silence);

	return node != NULL ? node->name : NULL;
}
