#include "dispatch/tally.h"

#include "loop/clock.h"

void tally_start(struct meters *meters, const struct event *event, bool first)
{
	bool is_loss = event->kind == EVENT_MASTER_DOWN || event->kind == EVENT_SLAVE_DOWN;

	if (meters == NULL)
		return;
	gauge_set(&meters->running, gauge_read(&meters->running) + 1);
	if (first && is_loss && event->failed_ms != INT64_MIN)
		histogram_add(&meters->detection, (clock_steady_ms() - event->failed_ms) * 1000);
}

void tally_end(struct meters *meters, enum action_end how, int64_t took_ms)
{
	if (meters == NULL)
		return;
	gauge_set(&meters->running, gauge_read(&meters->running) - 1);
	histogram_add(&meters->run, took_ms * 1000);
	switch (how) {
	case ACTION_DONE:
		counter_add(&meters->runs_done, 1);
		break;
	case ACTION_FAILED:
		counter_add(&meters->runs_failed, 1);
		break;
	case ACTION_TIMED_OUT:
		counter_add(&meters->runs_timed_out, 1);
		break;
	case ACTION_DROPPED:
	case ACTION_SILENCED:
		break;
	}
}

void tally_drop(struct meters *meters)
{
	if (meters != NULL)
		counter_add(&meters->drops, 1);
}

void tally_silenced(struct meters *meters)
{
	if (meters != NULL)
		counter_add(&meters->silenced, 1);
}

void tally_queues(struct meters *meters, const struct queues *queues)
{
	const struct run *oldest = TAILQ_FIRST(&queues->waiting);

	if (meters == NULL)
		return;
	gauge_set(&meters->queue_length, (int64_t)queues->waiting_count);
	gauge_set(&meters->queued_ms, oldest != NULL ? oldest->queued_ms : 0);
}
