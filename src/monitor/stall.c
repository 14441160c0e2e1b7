#include "monitor/stall.h"

#include "base/log.h"
#include "loop/clock.h"

static void on_tick(void *data)
{
	struct stall *stall = data;
	int64_t now_ms = clock_steady_ms();
	int64_t late_ms = now_ms - stall->ticked_ms - STALL_TICK_MS;

	if (stall->meters != NULL) {
		histogram_add(&stall->meters->lateness, late_ms * 1000);
		gauge_set(&stall->meters->turned_ms, now_ms);
	}
	if (late_ms > STALL_LIMIT_MS) {
		deadlines_note_stall(stall->deadlines);
		log_error("the monitor was stalled for %.1f s: it looks again before it judges",
			  (double)late_ms / 1000.0);
	}
	stall->ticked_ms = now_ms;
	timer_start(stall->timer, STALL_TICK_MS);
}

void stall_begin(struct stall *stall, uv_loop_t *loop, struct deadlines *deadlines, struct meters *meters)
{
	stall->meters = meters;
	stall->deadlines = deadlines;
	stall->ticked_ms = clock_steady_ms();
	if (meters != NULL)
		gauge_set(&meters->turned_ms, stall->ticked_ms);
	stall->timer = timer_new(loop, on_tick, stall);
	timer_start(stall->timer, STALL_TICK_MS);
}

void stall_end(struct stall *stall)
{
	timer_free(&stall->timer);
}
