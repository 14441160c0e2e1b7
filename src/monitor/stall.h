/*
 * Rule P4: the monitor's own stalls. A timer of its own that fires late says that the loop did not turn;
 * then deadlines begin anew (loop/deadline.h), and nothing is judged by what expired. Monitor thread.
 */
#pragma once

#include "core/meters.h"
#include "loop/deadline.h"
#include "loop/timer.h"

#define STALL_TICK_MS 200
#define STALL_LIMIT_MS 2000 /* a tick that is later than that tells of a stall */

struct stall {
	struct timer *timer;
	struct deadlines *deadlines; /* the owner's: they are told of each stall */
	struct meters *meters; /* take how late each tick is; NULL: it is not measured */
	int64_t ticked_ms;
};

void stall_begin(struct stall *stall, uv_loop_t *loop, struct deadlines *deadlines, struct meters *meters);
void stall_end(struct stall *stall);
