/*
 * Rule P4: the monitor's own stalls. A timer of its own that fires late says that the loop did not turn;
 * then deadlines begin anew (loop/timer.h), and nothing is judged by what expired. Monitor thread.
 */
#pragma once

#include "loop/timer.h"

#define STALL_TICK_MS 200
#define STALL_LIMIT_MS 2000 /* a timer that is later than that says so */

struct stall {
	struct timer *timer;
	unsigned *count; /* the owner's: how many there have been */
	int64_t ticked_ms;
};

void stall_begin(struct stall *stall, uv_loop_t *loop, unsigned *count);
void stall_end(struct stall *stall);
