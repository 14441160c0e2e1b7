/*
 * Makes events of what rounds, foundings and doors have concluded, tells the log, and hands the events to the
 * monitor's owner. It concludes nothing. Monitor thread.
 */
#pragma once

#include "core/unsaved.h"
#include "monitor/clusters.h"
#include "monitor/monitor.h"
#include "monitor/tell.h"

struct publisher {
	struct monitor_events events;
	void *data; /* for `events` */
	struct clusters *clusters;
	struct teller teller;
	struct unsaved *unsaved; /* names the parts that changes touch, before their events fire; NULL: nobody does */
	unsigned long shown; /* the board's generation at the last publish_changes() */
};

/* Tells the owner that what people are shown has changed. */
void publish_changed(const struct publisher *publisher);

/* Fires an event of `cluster` (NULL: none) with the change that it fired for (NULL: it is about no node). */
void publish_event(struct publisher *publisher, enum event_kind kind, const struct cluster *cluster,
		   const struct change *change);

/*
 * Logs a round's or a founding's changes, in their order, and fires their events. Without changes publish_changed()
 * follows only if people are shown something else all the same (a lag, a server's words): else a fleet of a hundred
 * clusters would wake the loop up to fifty times a second for a status that is the same.
 */
void publish_changes(struct publisher *publisher, const struct changes *changes);

/* Fires plusmoin_heartbeat, if it has a trigger. */
void publish_heartbeat(struct publisher *publisher, const struct cluster *cluster);
