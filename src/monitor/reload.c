/*
 * A new configuration for a running monitor: contract.md, "Reload". It is taken at
 * once, in the start and while rounds are open: these go on without the nodes that
 * leave, and what was under way over a connection that is made anew is asked again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "monitor/internal.h"

static const struct config_node *find(const struct config *config, const char *id)
{
	for (size_t i = 0; i < config->node_count; i++) {
		if (strcmp(config->nodes[i].id, id) == 0)
			return &config->nodes[i];
	}
	return NULL;
}

static bool same_node(const struct config_node *a, const struct config_node *b)
{
	return text_same(a->name, b->name) && config_node_same_login(a, b);
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
	/* what is under way asks the old one */
	bool all = !text_same(before->is_slave_statement, next->is_slave_statement);

	for (size_t i = 0; i < monitor->fleet->node_count; i++) {
		struct node *node = monitor->fleet->nodes[i];
		const struct config_node *other = find(next, node->config->id);

		if (other == NULL) {
			say(node->config, "no longer configured: the node leaves");
		} else if (!same_node(node->config, other)) {
			say(other, "configured differently: connecting anew");
			list_add(anew, node);
		} else if (all) {
			list_add(anew, node);
		}
	}
	for (size_t i = 0; i < next->node_count; i++) {
		if (find(before, next->nodes[i].id) == NULL)
			say(&next->nodes[i], "new in the configuration");
	}
}

static void list_groups(struct monitor *monitor, struct list *groups)
{
	for (size_t i = 0; i < monitor->fleet->clusters.count; i++)
		list_add(groups, ((struct cluster *)monitor->fleet->clusters.items[i])->watch);
	list_add(groups, &monitor->clusterless);
}

static void forget_leaving(struct monitor *monitor, const struct config *next,
			   const struct list *groups)
{
	for (size_t i = 0; i < monitor->fleet->node_count; i++) {
		const struct node *node = monitor->fleet->nodes[i];

		if (find(next, node->config->id) != NULL)
			continue;
		for (size_t n = 0; n < groups->count; n++)
			group_forget(groups->items[n], node->watch);
		start_forget(monitor, node->watch);
	}
}

static void repeat_beats(struct monitor *monitor, const struct list *anew,
			 const struct list *groups)
{
	for (size_t i = 0; i < anew->count; i++) {
		for (size_t n = 0; n < groups->count; n++)
			group_repeat(groups->items[n], anew->items[i]);
		start_repeat(monitor, anew->items[i]);
	}
}

/* New nodes join those that are to be looked at. */
static void reload_watches(struct monitor *monitor, struct list *anew, struct list *removed)
{
	struct node *node;

	while ((node = list_shift(removed)) != NULL) {
		watch_free(node);
		free(node);
	}
	for (size_t i = 0; i < monitor->fleet->node_count; i++) {
		node = monitor->fleet->nodes[i];
		if (node->watch != NULL) {
			watch_reload(node->watch, list_has(anew, node));
			continue;
		}
		watch_new(monitor, node);
		list_add(anew, node);
	}
}

/* What was seen by another statement says nothing any more. */
static void forget_seen(const struct monitor *monitor)
{
	for (size_t i = 0; i < monitor->fleet->node_count; i++)
		node_forget(monitor->fleet->nodes[i]);
}

static bool resume_one(struct monitor *monitor)
{
	for (size_t i = 0; i < monitor->fleet->clusters.count; i++) {
		const struct cluster *cluster = monitor->fleet->clusters.items[i];

		if (group_resume(cluster->watch))
			return true; /* and clusters may have gone */
	}
	return group_resume(&monitor->clusterless);
}

/* Rounds that waited for what is gone, clusters that are empty now, all looks and timers. */
static void go_on(struct monitor *monitor, const struct list *anew)
{
	struct changes none = { 0 };
	struct list groups = { 0 };

	while (resume_one(monitor))
		;
	start_resume(monitor);
	monitor_publish(monitor, &none);
	for (size_t i = 0; i < anew->count; i++)
		watch_look(((const struct node *)anew->items[i])->watch);
	for (size_t i = 0; i < monitor->fleet->node_count; i++)
		watch_plan(monitor->fleet->nodes[i]->watch);
	list_groups(monitor, &groups);
	for (size_t i = 0; i < groups.count && !start_is_blind(monitor); i++)
		group_reload(groups.items[i]);
	list_free(&groups);
}

static void on_time(void *data)
{
	struct monitor *monitor = data;
	struct config *before = monitor->config;
	struct config *next = monitor->pending;
	struct moment now = monitor_now(monitor);
	struct list groups = { 0 };
	struct list removed = { 0 };
	struct list anew = { 0 };

	list_groups(monitor, &groups);
	compare(monitor, next, &anew);
	forget_leaving(monitor, next, &groups);
	repeat_beats(monitor, &anew, &groups);
	fleet_reload(monitor->fleet, next, &now, &removed);
	monitor->config = next;
	monitor->pending = NULL;
	reload_watches(monitor, &anew, &removed);
	if (!text_same(before->is_slave_statement, next->is_slave_statement))
		forget_seen(monitor);
	go_on(monitor, &anew);
	refresh_plan(monitor);
	list_free(&groups);
	list_free(&removed);
	list_free(&anew);
	config_unref(&before);
}

void monitor_reload(struct monitor *monitor, struct config *config)
{
	config_unref(&monitor->pending);
	monitor->pending = config_ref(config);
	timer_start(monitor->reload_timer, 0);
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
