/*
 * What is counted and measured of triggers, into the meters (core/meters.h): what waits, how long a loss took to be
 * told, and how actions ended. `meters` NULL: nobody wants to know. Monitor's loop.
 */
#pragma once

#include "core/meters.h"
#include "dispatch/action.h"
#include "dispatch/queue.h"

/* An action of the event starts; `first`: none of the event's has before. */
void tally_start(struct meters *meters, const struct event *event, bool first);
void tally_end(struct meters *meters, enum action_end how, int64_t took_ms);

/* An event's triggers are dropped. */
void tally_drop(struct meters *meters);

/* An event's triggers do not run, as it falls in a silence. */
void tally_silenced(struct meters *meters);

/* What waits now. */
void tally_queues(struct meters *meters, const struct queues *queues);
