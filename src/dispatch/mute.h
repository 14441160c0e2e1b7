/*
 * Keeps actions from running whose event falls in one of the kit's silences (core/silences.h). It is asked when an
 * event is queued, and again when an action is about to start, since a silence may have begun while that waited. Each
 * action that does not run is told (dispatch_events) as one that has ended, in the words of the silence. Monitor's
 * loop.
 */
#pragma once

#include "dispatch/action.h"
#include "dispatch/queue.h"

/*
 * True: the event falls in a silence, which was told, and `plans` (which actions would run; NULL: all) are freed.
 * False: nothing was told, and the caller queues the event.
 */
bool mute_event(const struct action_kit *kit, const struct config *config, struct event *event, enum plan *plans);

/* True: the run's event falls in a silence, which was told, and the run is freed. False: the run goes on. */
bool mute_run(const struct action_kit *kit, struct run *run);
