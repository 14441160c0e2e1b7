/*
 * Slots bound how many commands run at once: there are `trigger_parallel`, and as many again for masters' events
 * alone. A function needs no slot, but a script host of its load that is ready. Either is called a place. Monitor's
 * loop.
 */
#pragma once

#include "dispatch/queue.h"
#include "dispatch/runner.h"

struct slots {
	int running;        /* commands in slots for all events */
	int running_master; /* commands in slots for masters' events alone */
};

/* Whether the run's next action may start, by the `trigger_parallel` (`limit`) of the present configuration. */
bool slots_have(const struct slots *slots, int limit, const struct runner *runner, const struct run *run);

/* The run takes a slot, if its next action is a command and it has none yet. */
void slots_take(struct slots *slots, int limit, struct run *run);

/* The run gives its slot back, if it has one. */
void slots_leave(struct run *run);
