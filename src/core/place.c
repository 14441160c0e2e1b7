/* The functions of fleet.h that say where a node is and why, and do not move it. */
#include "base/words.h"
#include "core/fleet.h"

const char *place_name(enum place place)
{
	static const char *const names[] = {
		[PLACE_CLUSTERLESS] = "clusterless",
		[PLACE_MASTER] = "master",
		[PLACE_SLAVE] = "slave",
		[PLACE_LOST] = "lost",
	};

	return names[place];
}

bool node_is_in_place(const struct node *node)
{
	return node->place == PLACE_MASTER || node->place == PLACE_SLAVE;
}

void node_give_reason(struct node *node, enum reason reason, const char *message)
{
	node->reason = reason;
	words_keep(&node->shown->reason, message, MESSAGE_BYTES);
	node_touch(node);
}

void fleet_note_rule(struct node *node, enum rule rule, const struct moment *now)
{
	if (rule == RULE_NONE || rule == node->ruled)
		return;
	node->ruled = rule;
	node->ruled_ms = now->wall_ms;
	node_touch(node);
}
