/*
 * Names in rows: configured ids, and the names that other monitors have for masters (aliases), which
 * are learned from the beats that ours replace. Monitor thread.
 */
#pragma once

#include "core/fleet.h"

/* Another monitor's name for a master, its own from now on; the oldest of NODE_ALIASES gives way. */
void fleet_give_alias(struct fleet *fleet, struct node *node, const char *name);

/* No node that does not sit bears that alias any more. */
void fleet_take_alias(struct fleet *fleet, const char *name);

/* The node bears no alias any more. */
void fleet_forget_aliases(struct fleet *fleet, struct node *node);
bool node_has_alias(const struct node *node, const char *name);

/*
 * The node that a row's name stands for: a configured id, else another
 * monitor's name for a master (members of `near`, which may be NULL, first).
 * NULL: nobody's.
 */
struct node *fleet_named(const struct fleet *fleet, const struct cluster *near, const char *name);
