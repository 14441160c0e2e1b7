#include "dispatch/slots.h"

#include "dispatch/action.h"

bool slots_have(const struct slots *slots, int limit, const struct runner *runner, const struct run *run)
{
	if (!action_is_command(queue_run_next_action(run)))
		return runner->is_ready(runner->data, run->config);
	return slots->running < limit || (run->queue->rank == RANK_MASTERS && slots->running_master < limit);
}

void slots_take(struct slots *slots, int limit, struct run *run)
{
	if (run->slot != NULL || !action_is_command(queue_run_next_action(run)))
		return;
	run->slot = slots->running >= limit ? &slots->running_master : &slots->running;
	(*run->slot)++;
}

void slots_leave(struct run *run)
{
	if (run->slot != NULL)
		(*run->slot)--;
	run->slot = NULL;
}
