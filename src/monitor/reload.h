/*
 * A new configuration for a running monitor: contract.md, "Reload". It is taken at
 * once, in the start and while rounds are open: these go on without the nodes that
 * leave, and what was under way over a connection that is made anew is asked again. Monitor thread.
 */
#pragma once

#include "core/unsaved.h"
#include "monitor/clusters.h"
#include "monitor/founding.h"

/* What a reload changes; the monitor's. */
struct reload {
	struct watches *watches;
	struct clusters *clusters;
	struct founding *founding;
	struct unsaved *unsaved; /* names nodes that leave, with their clusters; NULL: nobody does */
};

/*
 * Goes over to `next` (a reference, which watches->config takes over). Open rounds that waited for a
 * node that leaves go on, and may end from inside this call. Nodes with a new connection are marked `anew`
 * until reload_look().
 */
void reload_take(const struct reload *reload, struct config *next);

/* Asks the nodes that are marked, and sets all timers anew. */
void reload_look(const struct reload *reload);
