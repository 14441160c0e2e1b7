/*
 * What does not run, as its event falls in a silence (core/silences.h, the kit's): of an event that is queued, and once more
 * of a run whose next action is about to start, since the silence may have begun while it waited. Each action that does not
 * run is told (dispatch_events) as one that has ended, in the words of the silence. Monitor's loop.
 */
#pragma once

#include "dispatch/action.h"
#include "dispatch/queue.h"

/*
 * False, and nothing is told: it may be queued. `plans`: what of it would run (NULL: all); else they are taken over, and
 * nothing is queued.
 */
bool mute_event(const struct action_kit *kit, const struct config *config, struct event *event, enum plan *plans);

/* Ends the run, which does not go on, if that is so; else false. */
bool mute_run(const struct action_kit *kit, struct run *run);
