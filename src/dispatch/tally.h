/*
 * The tally counts and measures triggers in the meters (core/meters.h): how many wait, how long it took from a failure
 * to the start of its trigger, and how actions ended. `meters` NULL: nothing is counted. Monitor's loop.
 */
#pragma once

#include "core/meters.h"
#include "dispatch/action.h"
#include "dispatch/queue.h"

/* An action of the event starts; `first`: it is the first of this event. */
void tally_start(struct meters *meters, const struct event *event, bool first);
void tally_end(struct meters *meters, enum action_end how, int64_t took_ms);

/* An event's triggers are dropped. */
void tally_drop(struct meters *meters);

/* An event's triggers do not run, as it falls in a silence. */
void tally_silenced(struct meters *meters);

/* Measures what waits now. */
void tally_queues(struct meters *meters, const struct queues *queues);
