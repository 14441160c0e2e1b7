#include "monitor/publisher.h"

#include "loop/clock.h"

void publish_changed(const struct publisher *publisher)
{
	publisher->events.changed(publisher->data);
}

/* Whether what happens in its cluster, or where a node came from, is a difference to a state file. */
static bool is_difference(const struct publisher *publisher, const struct cluster *cluster,
			  const struct change *change)
{
	struct clusters *clusters = publisher->clusters;

	return clusters_group(clusters, cluster)->restored ||
	       (change != NULL && clusters_group(clusters, change->from)->restored);
}

void publish_event(struct publisher *publisher, enum event_kind kind, const struct cluster *cluster,
		   const struct change *change)
{
	bool restored = kind != EVENT_HEARTBEAT && is_difference(publisher, cluster, change);
	struct event *event = tell_event(&publisher->teller, kind, cluster, change, restored,
					 clock_wall_ms());

	publisher->events.fired(publisher->data, event);
	event_unref(&event);
	publish_changed(publisher);
}

/* plusmoin_up is about a cluster: no node fires it, whatever founded the cluster. */
static void publish_change(struct publisher *publisher, const struct change *change)
{
	if (change->event != EVENT_NONE)
		publish_event(publisher, change->event, change->cluster,
			      change->event != EVENT_PLUSMOIN_UP ? change : NULL);
}

static bool is_shown_otherwise(struct publisher *publisher)
{
	struct board **board = &publisher->teller.board;
	unsigned long before = publisher->shown;

	board_update(board, publisher->clusters->seats->watches->fleet);
	publisher->shown = (*board)->generation;
	return publisher->shown != before;
}

void publish_changes(struct publisher *publisher, const struct changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		tell_change(&changes->items[i]);
		unsaved_change(publisher->unsaved, &changes->items[i]);
		publish_change(publisher, &changes->items[i]);
	}
	if (is_shown_otherwise(publisher) || changes->count > 0)
		publish_changed(publisher);
}

void publish_heartbeat(struct publisher *publisher, const struct cluster *cluster)
{
	const struct config *config = publisher->clusters->seats->watches->config;

	if (config->triggers[EVENT_HEARTBEAT].count > 0)
		publish_event(publisher, EVENT_HEARTBEAT, cluster, NULL);
}
