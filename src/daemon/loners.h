/*
 * Triggers that run whether etcd answers or not ("alone": "act"): pagers, that would rather ring twice than not at all. They
 * have a dispatch of their own, so that none waits behind a trigger that has to be written down first, and begin when their
 * event fires. In the record of the event they stand as started from the beginning: should this monitor die, the next one
 * runs them again. Monitor's loop.
 */
#pragma once

#include "daemon/duty.h"
#include "dispatch/dispatch.h"

struct loners {
	struct dispatch *others; /* of all other triggers */
	struct dispatch *alone;
};

/*
 * Gives the event's triggers to the one dispatch and to the other, and marks those that act alone in the duty. `duty`
 * NULL: etcd is away for long, and these alone run.
 */
void loners_dispatch(const struct loners *loners, const struct config *config, struct event *event, struct duty *duty);
