#include "daemon/loners.h"

#include <stdlib.h>

#include "base/mem.h"

static void mark(struct duty *duty, const char *path)
{
	size_t i;
	struct event_run *run = duty_find_run(duty, path, &i);

	if (run == NULL)
		return;
	run->state = EVENT_RUN_STARTED;
	duty->starts[i] = duty->commit;
}

void loners_dispatch(const struct loners *loners, const struct config *config, struct event *event, struct duty *duty)
{
	const struct config_trigger *trigger = &config->triggers[event->kind];
	struct dispatch_rest *alone = mem_zalloc(trigger->count + 1, sizeof(*alone));
	struct dispatch_rest *others = mem_zalloc(trigger->count + 1, sizeof(*others));
	size_t alone_count = 0;
	size_t other_count = 0;

	for (size_t i = 0; i < trigger->count; i++) {
		const struct config_action *action = &trigger->actions[i];

		if (action->acts_alone)
			alone[alone_count++].path = action->path;
		else
			others[other_count++].path = action->path;
	}
	for (size_t i = 0; duty != NULL && i < alone_count; i++)
		mark(duty, alone[i].path);
	if (alone_count > 0)
		dispatch_event_rest(loners->alone, event, alone, alone_count);
	if (duty != NULL && alone_count == 0)
		dispatch_event(loners->others, event);
	else if (duty != NULL && other_count > 0)
		dispatch_event_rest(loners->others, event, others, other_count);
	free(alone);
	free(others);
}
