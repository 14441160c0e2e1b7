/*
 * Where actions run: slots for commands, and as many again for masters' events alone (`trigger_parallel`); a function
 * runs where its load has a host that is ready. Monitor's loop.
 */
#pragma once

#include "dispatch/queue.h"
#include "dispatch/runner.h"

struct slots {
	int running;        /* commands, but for masters' own slots */
	int running_master;
};

/* Whether the run's next action may start, by the `trigger_parallel` (`limit`) of the present configuration. */
bool slots_have(const struct slots *slots, int limit, const struct runner *runner, const struct run *run);

/* The run takes a slot, if its next action is a command and it has none yet. */
void slots_take(struct slots *slots, int limit, struct run *run);

/* The run gives its slot back, if it has one. */
void slots_leave(struct run *run);
