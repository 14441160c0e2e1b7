/*
 * Loners are the triggers that run whether etcd answers or not ("alone": "act"), such as pagers: two calls are better
 * than none. They have a dispatch of their own, so that none waits behind a trigger whose start has to be stored
 * first, and they start when their event fires. The event's record has them as started from the beginning: should
 * this monitor die, the next one runs them again. Monitor's loop.
 */
#pragma once

#include "daemon/duty.h"
#include "dispatch/dispatch.h"

struct loners {
	struct dispatch *others; /* runs all other triggers */
	struct dispatch *alone;  /* runs the loners */
};

/*
 * Queues the event's loners in `alone` and its other triggers in `others`, and marks the loners in the duty as
 * started. `duty` NULL: etcd has been away for long, and only the loners are queued.
 */
void loners_dispatch(const struct loners *loners, const struct config *config, struct event *event, struct duty *duty);
