/*
 * Where events go out: it makes them of what rounds, foundings and doors have concluded, tells the log, and
 * hands them to who listens to the monitor. It concludes nothing. Monitor thread.
 */
#pragma once

#include "core/unsaved.h"
#include "monitor/clusters.h"
#include "monitor/monitor.h"
#include "monitor/tell.h"

struct publisher {
	struct monitor_events events;
	void *data; /* of these */
	struct clusters *clusters;
	struct teller teller;
	struct unsaved *unsaved; /* the parts that changes touch are named there, before their events fire; NULL: nowhere */
	unsigned long shown; /* the board's generation when a round has looked last */
};

/* What people are shown has changed. */
void publish_changed(const struct publisher *publisher);

/* An event of `cluster` (NULL: none) with the change that it fired for (NULL: it is about no node). */
void publish_event(struct publisher *publisher, enum event_kind kind, const struct cluster *cluster,
		   const struct change *change);

/*
 * A round's or a founding's changes, in their order: a log line each, and the events. Where there are none people may be
 * shown something else all the same (a lag, a server's words): only then publish_changed() follows. Else a fleet of a
 * hundred clusters would wake the loop up to fifty times a second for a status that is the same.
 */
void publish_changes(struct publisher *publisher, const struct changes *changes);

/* plusmoin_heartbeat, if it has a trigger. */
void publish_heartbeat(struct publisher *publisher, const struct cluster *cluster);
