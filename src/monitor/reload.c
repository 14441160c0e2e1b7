#include "monitor/reload.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"

/*
 * How many nodes are asked within a millisecond, cluster by cluster. Asking 5,000 at once held the loop for 60 ms; a
 * node and round costs some 15 us of CPU, so that this is a sixth of it. 5,000 nodes are asked within 0.5 s, a few
 * clusters at once.
 */
#define LOOKS_A_MS 10

static bool same_node(const struct config_node *a, const struct config_node *b)
{
	return text_same(a->name, b->name) && config_node_same_login(a, b);
}

static void say(const struct config_node *node, const char *what)
{
	struct log_about about = { .node = node->name };

	log_line(LOG_LEVEL_INFO, &about, "%s", what);
}

/* Says that the node leaves, and with it its part of the saved state. */
static void say_leaves(const struct reload *reload, const struct node *node)
{
	say(node->config, "no longer configured: the node leaves");
	unsaved_node(reload->unsaved, node->config->id);
	if (node->cluster != NULL)
		unsaved_cluster(reload->unsaved, node->cluster->id);
}

/* Says what becomes of the nodes, and marks those that need a new connection. */
static void compare(const struct reload *reload, const struct config *next)
{
	const struct watches *watches = reload->watches;
	const struct config *before = watches->config;
	/* what is under way asks by the old statement */
	bool all = !text_same(before->is_slave_statement, next->is_slave_statement);
	size_t at = 0;

	for (size_t i = 0; i < watches->count; i++) {
		struct watch *watch = watches->by_order[i];
		const struct config_node *other = config_find_next(next, watch->node->config->id, &at);

		watch->anew = all;
		if (other == NULL) {
			watch->anew = false;
			say_leaves(reload, watch->node);
		} else if (!same_node(watch->node->config, other)) {
			say(other, "the node is configured differently: plusmoin connects to it anew");
			watch->anew = true;
		}
	}
	at = 0;
	for (size_t i = 0; i < next->node_count; i++) {
		if (config_find_next(before, next->nodes[i].id, &at) == NULL)
			say(&next->nodes[i], "the node is new in the configuration");
	}
}

/*
 * Lets open rounds go on without a node that leaves; also the one that founded its cluster, which may still tell of
 * it.
 */
static void forget(const struct reload *reload, const struct watch *watch)
{
	struct group *group = clusters_group(reload->clusters, watch->node->cluster);

	group_forget(group, watch);
	if (group->born_in != NULL)
		group_forget(group->born_in, watch);
	founding_forget(reload->founding, watch);
}

static void repeat(const struct reload *reload, const struct watch *watch)
{
	group_repeat(clusters_group(reload->clusters, watch->node->cluster), watch->node);
	founding_repeat(reload->founding, watch);
}

static void prepare(const struct reload *reload, const struct config *next)
{
	const struct watches *watches = reload->watches;
	bool has_groups = reload->founding->phase != FOUNDING_RESTORED;
	size_t at = 0;

	for (size_t i = 0; i < watches->count && has_groups; i++) {
		const struct watch *watch = watches->by_order[i];

		if (config_find_next(next, watch->node->config->id, &at) == NULL)
			forget(reload, watch);
		else if (watch->anew)
			repeat(reload, watch);
	}
}

/* Forgets what was seen by another is_slave_statement. */
static void forget_seen(const struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->node_count; i++)
		node_forget(fleet->nodes[i]);
}

/* Resumes one group after another, by their ids: one that goes on may end, and others with it. */
static void resume(const struct reload *reload)
{
	struct group *group;
	int id = -1;

	while ((group = clusters_after(reload->clusters, id)) != NULL) {
		id = group->cluster->id;
		group_resume(group);
	}
	group_resume(&reload->clusters->clusterless);
	founding_resume(reload->founding);
}

void reload_take(const struct reload *reload, struct config *next)
{
	struct watches *watches = reload->watches;
	struct config *before = watches->config;
	struct moment now = clock_now(watches->clock);
	struct list removed = { 0 };

	compare(reload, next);
	prepare(reload, next);
	fleet_reload(watches->fleet, next, &now, &removed);
	kin_reload(watches->fleet, &removed);
	watches->config = next;
	watches_reload(watches, &removed);
	list_free(&removed);
	if (!text_same(before->is_slave_statement, next->is_slave_statement))
		forget_seen(watches->fleet);
	config_unref(&before);
	resume(reload);
}

void reload_look(const struct reload *reload)
{
	const struct watches *watches = reload->watches;
	const struct list *groups = &reload->clusters->groups;
	size_t asked = 0;

	for (size_t i = 0; i < watches->count; i++) {
		struct watch *watch = watches->by_order[i];

		if (watch->anew)
			watch_look(watch);
		watch->anew = false;
	}
	watches_plan(watches);
	if (founding_is_blind(reload->founding))
		return;
	for (size_t i = 0; i < groups->count; i++) {
		struct group *group = groups->items[i];

		group_reload(group, (int64_t)(asked / LOOKS_A_MS));
		asked += group->cluster->members.count;
	}
	group_reload(&reload->clusters->clusterless, (int64_t)(asked / LOOKS_A_MS));
}
