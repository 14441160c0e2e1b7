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

/* Returns the limit of its lag: max_sync_delay for a slave that gets lost, recover_sync_delay for one that stays so. */
static int64_t limit_of(const struct node *node, bool stays)
{
	const struct config *config = node->fleet->config;

	return stays ? config_recover_sync_delay_ms(config, node->config)
		     : config_max_sync_delay_ms(config, node->config);
}

static char *limit_words(const struct node *node, bool stays)
{
	int64_t own_ms = stays ? node->config->recover_sync_delay_ms : node->config->max_sync_delay_ms;

	return mem_printf("%s is %g s%s", stays ? "recover_sync_delay" : "max_sync_delay",
			  (double)limit_of(node, stays) / 1000.0, own_ms > 0 ? " (its own)" : "");
}

/* Returns the words that say how far behind a late node is, and how far it may be; the caller frees them. */
static char *lag_words(const struct node *node, const struct ruling *ruling, bool stays)
{
	const struct history *beats = &node->cluster->beats;
	char *limit = limit_words(node, stays);
	char *text;
	int64_t lag_ms;

	if (!ruling->has_shown || beats->count == 0)
		text = mem_printf("it has shown no beat of this cluster; %s", limit);
	else if (!cluster_lag(node->cluster, ruling->shown, &lag_ms))
		text = mem_printf("it shows no beat of this run yet: its row is %.3f s older than the newest; %s",
				  (double)(history_newest(beats) - ruling->shown) / 1000.0, limit);
	else if (lag_ms > limit_of(node, stays))
		text = mem_printf("%.3f s behind; %s", (double)lag_ms / 1000.0, limit);
	else /* a lost one that follows another cluster's master */
		text = mem_printf("its row names %s, another cluster's master, and it is late there; %s",
				  node->master_name, limit);
	free(limit);
	return text;
}

void change_because_of_lag(struct node *node, struct change *change,
			   const struct ruling *ruling)
{
	char *text = lag_words(node, ruling, change == NULL);

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
