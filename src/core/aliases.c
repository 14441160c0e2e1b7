#include "core/aliases.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

bool node_has_alias(const struct node *node, const char *name)
{
	for (size_t i = 0; i < NODE_ALIASES; i++) {
		if (node->aliases[i] != NULL && strcmp(node->aliases[i], name) == 0)
			return true;
	}
	return false;
}

static void drop_alias(struct fleet *fleet, struct node *node, size_t at)
{
	if (node->aliases[at] == NULL)
		return;
	naming_remove(&fleet->names, node->aliases[at], node);
	free(node->aliases[at]);
	node->aliases[at] = NULL;
}

void fleet_give_alias(struct fleet *fleet, struct node *node, const char *name)
{
	size_t at = node->alias_next;

	drop_alias(fleet, node, at);
	node->aliases[at] = mem_strdup(name);
	node->alias_next = (at + 1) % NODE_ALIASES;
	naming_add(&fleet->names, node->aliases[at], node, false);
}

void fleet_take_alias(struct fleet *fleet, const char *name)
{
	const struct bearer *bearer = naming_first(&fleet->names, name);

	while (bearer != NULL) {
		struct node *node = bearer->node;
		bool sits = bearer->is_id || node->place == PLACE_MASTER;

		bearer = naming_next(bearer);
		for (size_t i = 0; !sits && i < NODE_ALIASES; i++) {
			if (node->aliases[i] != NULL && strcmp(node->aliases[i], name) == 0)
				drop_alias(fleet, node, i);
		}
	}
}

void fleet_forget_aliases(struct fleet *fleet, struct node *node)
{
	for (size_t i = 0; i < NODE_ALIASES; i++)
		drop_alias(fleet, node, i);
}

/* Ranks the nodes that share an alias: members of `near` come first, and within that those that sit in a seat. */
static int nearness(const struct node *node, const struct cluster *near)
{
	return (node->cluster == near ? 2 : 0) + (node->place == PLACE_MASTER ? 1 : 0);
}

struct node *fleet_named(const struct fleet *fleet, const struct cluster *near, const char *name)
{
	struct node *alias = NULL;

	for (const struct bearer *bearer = naming_first(&fleet->names, name); bearer != NULL;
	     bearer = naming_next(bearer)) {
		struct node *node = bearer->node;
		int nearer;

		if (bearer->is_id)
			return node;
		nearer = alias != NULL ? nearness(node, near) - nearness(alias, near) : 1;
		if (nearer > 0 || (nearer == 0 && node->order < alias->order))
			alias = node;
	}
	return alias;
}
