/*
 * The names that rows of the heartbeat table hold: configured ids, and aliases, which are the names that other
 * monitors have for masters. We learn an alias when our beat replaces another monitor's. Monitor thread.
 */
#pragma once

#include "core/fleet.h"

/* Gives the node another monitor's name for it (copied); where it has NODE_ALIASES already, the oldest is dropped. */
void fleet_give_alias(struct fleet *fleet, struct node *node, const char *name);

/* Takes the alias away from every node that sits in no seat. */
void fleet_take_alias(struct fleet *fleet, const char *name);

/* Takes all aliases away from the node. */
void fleet_forget_aliases(struct fleet *fleet, struct node *node);
bool node_has_alias(const struct node *node, const char *name);

/*
 * Returns the node for which a row's name stands: the node with this id, else one with this alias (a member of
 * `near`, which may be NULL, before others). NULL: no node has the name.
 */
struct node *fleet_named(const struct fleet *fleet, const struct cluster *near, const char *name);
