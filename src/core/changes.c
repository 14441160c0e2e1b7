#include "core/changes.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"

struct change *changes_move(struct changes *changes, enum rule rule, struct node *node,
			    struct cluster *to, enum place place, const struct moment *now)
{
	struct change *change;

	if (changes->count == changes->room) {
		changes->room = changes->room > 0 ? changes->room * 2 : 4;
		changes->items = mem_grow(changes->items, changes->room, sizeof(*changes->items));
	}
	change = &changes->items[changes->count++];
	*change = (struct change){
		.rule = rule,
		.node = node,
		.from = node->cluster,
		.to = to,
		.from_place = node->place,
		.to_place = place,
		.cluster = to,
	};
	fleet_move(node, to, place, now);
	node->placed_by = rule;
	fleet_note_rule(node, rule, now);
	return change;
}

void change_because(struct change *change, enum reason reason, const char *message)
{
	change->reason = reason;
	text_copy(change->message, sizeof(change->message), message);
	node_give_reason(change->node, reason, message);
}

void change_because_of_failure(struct change *change)
{
	change_because(change, change->node->failure.reason, change->node->shown->failure);
}

void change_because_of_lag(struct node *node, struct change *change,
			   const struct ruling *ruling)
{
	const struct cluster *cluster = node->cluster;
	char *text;
	int64_t lag_ms;

	if (ruling->has_shown && cluster_lag(cluster, ruling->shown, &lag_ms))
		text = mem_printf("%.3f s behind", (double)lag_ms / 1000.0);
	else
		text = mem_strdup("it has shown no beat of this cluster");
	node_give_reason(node, REASON_LAG, text);
	if (change != NULL)
		change_because(change, REASON_LAG, text);
	free(text);
}

void node_shows(struct node *node, const struct ruling *ruling)
{
	node->has_shown = ruling->has_shown;
	node->shown_tstamp = ruling->shown;
}

struct change *changes_join(struct changes *changes, const struct fleet *fleet, struct node *node,
			    struct cluster *cluster, const struct moment *now)
{
	struct ruling ruling = rule_to_join(fleet, node, cluster);
	struct change *change = changes_move(changes, RULE_U3, node, cluster,
					     ruling.in_sync ? PLACE_SLAVE : PLACE_LOST, now);

	node_shows(node, &ruling);
	node_give_reason(node, REASON_NONE, "");
	if (ruling.in_sync)
		change->event = EVENT_SLAVE_UP;
	else
		change_because_of_lag(node, change, &ruling);
	return change;
}

void changes_forget(struct changes *changes, const struct node *node)
{
	size_t kept = 0;

	for (size_t i = 0; i < changes->count; i++) {
		if (changes->items[i].node != node)
			changes->items[kept++] = changes->items[i];
	}
	changes->count = kept;
}

void changes_free(struct changes *changes)
{
	free(changes->items);
	*changes = (struct changes){ 0 };
}
