#include "core/changes.h"

#include <stdlib.h>

#include "base/mem.h"

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
