/* A new configuration for a running monitor: contract.md, "Reload". */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "monitor/internal.h"

static const struct config_node *find(const struct config *config, const char *id)
{
	for (size_t i = 0; i < config->node_count; i++) {
		if (strcmp(config->nodes[i].id, id) == 0)
			return &config->nodes[i];
	}
	return NULL;
}

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_node(const struct config_node *a, const struct config_node *b)
{
	if (!same_text(a->name, b->name) || !same_text(a->user, b->user) ||
	    !same_text(a->password, b->password) || !same_text(a->dbname, b->dbname) ||
	    a->connection_count != b->connection_count)
		return false;
	for (size_t i = 0; i < a->connection_count; i++) {
		if (!same_text(a->connection[i].key, b->connection[i].key) ||
		    !same_text(a->connection[i].value, b->connection[i].value))
			return false;
	}
	return true;
}

static void say(const struct config_node *node, const char *what)
{
	struct log_about about = { .node = node->name };

	log_line(LOG_LEVEL_INFO, &about, "%s", what);
}

/* Says what becomes of the nodes, and notes which need a new connection. */
static void compare(const struct monitor *monitor, const struct config *next, struct list *anew)
{
	const struct config *before = monitor->config;
	bool times_differ = before->query_timeout_ms != next->query_timeout_ms;

	for (size_t i = 0; i < monitor->fleet->node_count; i++) {
		struct node *node = monitor->fleet->nodes[i];
		const struct config_node *other = find(next, node->config->id);

		if (other == NULL) {
			say(node->config, "no longer configured: the node leaves");
		} else if (!same_node(node->config, other)) {
			say(other, "configured differently: connecting anew");
			list_add(anew, node);
		} else if (times_differ) {
			list_add(anew, node);
		}
	}
	for (size_t i = 0; i < next->node_count; i++) {
		if (find(before, next->nodes[i].id) == NULL)
			say(&next->nodes[i], "new in the configuration");
	}
}

static bool is_open(const struct monitor *monitor)
{
	for (size_t i = 0; i < monitor->fleet->clusters.count; i++) {
		const struct cluster *cluster = monitor->fleet->clusters.items[i];

		if (((const struct group *)cluster->watch)->open)
			return true;
	}
	return monitor->clusterless.open;
}

static void reload_watches(struct monitor *monitor, const struct list *anew, struct list *removed)
{
	struct node *node;

	while ((node = list_shift(removed)) != NULL) {
		watch_free(node);
		free(node);
	}
	for (size_t i = 0; i < monitor->fleet->node_count; i++) {
		node = monitor->fleet->nodes[i];
		if (node->watch == NULL)
			watch_new(monitor, node);
		else
			watch_reload(node->watch, list_has(anew, node));
	}
}

/* Heartbeats by the new time, and a round of everything at once. */
static void restart(struct group *group)
{
	group_run(group);
	timer_start(group->early, 0);
}

static void restart_groups(struct monitor *monitor)
{
	for (size_t i = 0; i < monitor->fleet->clusters.count; i++) {
		const struct cluster *cluster = monitor->fleet->clusters.items[i];

		restart(cluster->watch);
	}
	restart(&monitor->clusterless);
}

static void apply(struct monitor *monitor)
{
	struct config *before = monitor->config;
	struct moment now = monitor_now(monitor);
	struct changes none = { 0 };
	struct list removed = { 0 };
	struct list anew = { 0 };

	compare(monitor, monitor->pending, &anew);
	fleet_reload(monitor->fleet, monitor->pending, &now, &removed);
	monitor->config = monitor->pending;
	monitor->pending = NULL;
	reload_watches(monitor, &anew, &removed);
	monitor_publish(monitor, &none); /* clusters that are empty now go */
	restart_groups(monitor);
	list_free(&removed);
	list_free(&anew);
	config_unref(&before);
}

static void on_time(void *data)
{
	struct monitor *monitor = data;

	if (monitor->pending != NULL && monitor->phase == START_OVER && !is_open(monitor))
		apply(monitor);
}

void reload_soon(struct monitor *monitor)
{
	if (monitor->pending != NULL)
		timer_start(monitor->reload_timer, 0);
}

void monitor_reload(struct monitor *monitor, struct config *config)
{
	config_unref(&monitor->pending);
	monitor->pending = config_ref(config);
	reload_soon(monitor);
}

void reload_begin(struct monitor *monitor)
{
	monitor->reload_timer = timer_new(monitor->loop, NULL, on_time, monitor);
}

void reload_end(struct monitor *monitor)
{
	timer_free(&monitor->reload_timer);
	config_unref(&monitor->pending);
}
