#include "dispatch/mute.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "core/silences.h"
#include "dispatch/slots.h"
#include "dispatch/tally.h"
#include "loop/clock.h"

static const struct silence *silence_of(const struct action_kit *kit, const struct event *event)
{
	if (kit->silences == NULL || kit->silences->count == 0)
		return NULL;
	return silences_of_event(kit->silences, event, clock_wall_ms());
}

/* Logs that the event's triggers do not run; of a heartbeat at level debug, as it comes every few seconds. */
static void log_words(const struct event *event, const char *words)
{
	struct log_about about = action_event_about(event);

	log_line(event->kind == EVENT_HEARTBEAT ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, &about, "triggers not run: %s", words);
}

/* Tells that the actions from `first` on do not run. Keeps the event, as who is told may drop its reference. */
static void tell(const struct action_kit *kit, const struct config *config, struct event *event, const enum plan *plans,
		 size_t first, const char *words)
{
	const struct config_trigger *trigger = &config->triggers[event->kind];
	struct event *kept = event_ref(event);

	log_words(kept, words);
	tally_silenced(kit->meters);
	for (size_t i = first; i < trigger->count; i++) {
		if (plans != NULL && plans[i] == PLAN_SKIP)
			continue;
		action_tell(kit, kept, trigger->actions[i].path, words);
		action_tell_end(kit, kept, trigger->actions[i].path, ACTION_SILENCED, words);
	}
	event_unref(&kept);
}

bool mute_event(const struct action_kit *kit, const struct config *config, struct event *event, enum plan *plans)
{
	const struct silence *silence = silence_of(kit, event);
	struct buf words = { 0 };

	if (silence == NULL)
		return false;
	silence_add_words(silence, &words);
	tell(kit, config, event, plans, 0, buf_text(&words));
	buf_free(&words);
	free(plans);
	return true;
}

bool mute_run(const struct action_kit *kit, struct run *run)
{
	const struct silence *silence = silence_of(kit, run->event);
	struct buf words = { 0 };

	if (silence == NULL)
		return false;
	silence_add_words(silence, &words);
	tell(kit, run->config, run->event, run->plans, run->next, buf_text(&words));
	buf_free(&words);
	slots_leave(run);
	queue_run_free(&run);
	return true;
}
