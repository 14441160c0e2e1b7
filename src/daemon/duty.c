#include "daemon/duty.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

struct duty *duty_of(struct event_record *record, unsigned long number)
{
	struct duty *duty = mem_zalloc(1, sizeof(*duty));

	duty->record = *record;
	*record = (struct event_record){ 0 };
	duty->number = number;
	duty->starts = mem_zalloc(duty->record.run_count + 1, sizeof(*duty->starts));
	return duty;
}

struct duty *duty_new(const struct config *config, struct event *event)
{
	const struct config_trigger *trigger = &config->triggers[event->kind];
	struct event_record record = { .event = event_ref(event), .run_count = trigger->count };

	record.runs = mem_zalloc(trigger->count + 1, sizeof(*record.runs));
	for (size_t i = 0; i < trigger->count; i++)
		record.runs[i].trigger = mem_strdup(trigger->actions[i].path);
	return duty_of(&record, event_record_number(event->id));
}

void duty_free(struct duty **duty_p)
{
	struct duty *duty = *duty_p;

	*duty_p = NULL;
	if (duty == NULL)
		return;
	event_record_clear(&duty->record);
	free(duty->starts);
	free(duty);
}

struct event_run *duty_find_run(const struct duty *duty, const char *path, size_t *index)
{
	for (size_t i = 0; i < duty->record.run_count; i++) {
		if (strcmp(duty->record.runs[i].trigger, path) == 0) {
			*index = i;
			return &duty->record.runs[i];
		}
	}
	return NULL;
}

void duty_end_run(struct event_run *run, const char *how)
{
	run->state = EVENT_RUN_DONE;
	free(run->outcome);
	run->outcome = mem_strdup(how);
}

bool duty_is_over(const struct duty *duty)
{
	for (size_t i = 0; i < duty->record.run_count; i++) {
		enum event_run_state state = duty->record.runs[i].state;

		if (state != EVENT_RUN_DONE && state != EVENT_RUN_UNKNOWN)
			return false;
	}
	return true;
}

/* ---- what another monitor has left ---- */

static const struct config_action *find_action(const struct config *config, enum event_kind kind, const char *path)
{
	const struct config_trigger *trigger = &config->triggers[kind];

	for (size_t i = 0; i < trigger->count; i++) {
		if (strcmp(trigger->actions[i].path, path) == 0)
			return &trigger->actions[i];
	}
	return NULL;
}

static void give_up(const struct duty *duty, struct event_run *run, const char *why)
{
	struct log_about about = {
		.event = event_kind_name(duty->record.event->kind),
		.event_id = duty->record.event->id,
		.has_cluster = true,
		.cluster_id = duty->record.event->cluster_id,
		.trigger = run->trigger,
	};

	run->state = EVENT_RUN_UNKNOWN;
	log_line(LOG_LEVEL_ERROR, &about, "%s", why);
}

/*
 * Whether the run is left for this monitor. One that another monitor had started runs again, unless its trigger may
 * not.
 */
static bool is_left(const struct config *config, const struct duty *duty, struct event_run *run)
{
	const struct config_action *action = find_action(config, duty->record.event->kind, run->trigger);

	if (run->state == EVENT_RUN_DONE || run->state == EVENT_RUN_UNKNOWN)
		return false;
	if (action == NULL) {
		give_up(duty, run, "another monitor left this trigger to be run, and it does not run: it is not configured here");
		return false;
	}
	if (run->state == EVENT_RUN_STARTED && action->once) {
		give_up(duty, run, "another monitor had started this trigger, and nobody knows how it ended: it does not run"
				   " again (\"rerun\": false)");
		return false;
	}
	return true;
}

size_t duty_find_rest(struct duty *duty, const struct config *config, struct dispatch_rest *rest)
{
	size_t count = 0;

	for (size_t i = 0; i < duty->record.run_count; i++) {
		struct event_run *run = &duty->record.runs[i];

		if (is_left(config, duty, run))
			rest[count++] = (struct dispatch_rest){ .path = run->trigger, .again = run->state == EVENT_RUN_STARTED };
	}
	return count;
}

/* ---- all of them ---- */

struct awaited_start {
	unsigned long commit;
	int cluster_id;
};

/* Returns the index of the first duty whose event has at least that number, or the count where there is none. */
static size_t place_of(const struct duties *duties, unsigned long number)
{
	size_t low = 0;
	size_t high = duties->all.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct duty *duty = duties->all.items[middle];

		if (duty->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void duties_add(struct duties *duties, struct duty *duty)
{
	list_insert(&duties->all, place_of(duties, duty->number), duty);
	if (!duty->stands)
		list_add(&duties->fresh, duty);
}

void duties_end(struct duties *duties, struct duty *duty)
{
	(void)list_remove_at(&duties->all, place_of(duties, duty->number));
	duty_free(&duty);
}

struct duty *duties_find(const struct duties *duties, const struct event *event)
{
	size_t at = place_of(duties, event_record_number(event->id));
	struct duty *duty = at < duties->all.count ? duties->all.items[at] : NULL;

	if (duty == NULL || strcmp(duty->record.event->id, event->id) != 0 || duty->record.event->term != event->term)
		return NULL;
	return duty;
}

void duties_await(struct duties *duties, unsigned long commit, int cluster_id)
{
	struct awaited_start *start = mem_alloc(sizeof(*start));

	*start = (struct awaited_start){ .commit = commit, .cluster_id = cluster_id };
	list_add(&duties->starts, start);
}

struct duty *duties_next_standing(struct duties *duties, unsigned long commit)
{
	struct duty *duty = duties->fresh.count > 0 ? duties->fresh.items[0] : NULL;

	if (duty == NULL || duty->commit > commit)
		return NULL;
	(void)list_shift(&duties->fresh);
	duty->stands = true;
	return duty;
}

bool duties_next_started(struct duties *duties, unsigned long commit, int *cluster_id)
{
	struct awaited_start *start = duties->starts.count > 0 ? duties->starts.items[0] : NULL;

	if (start == NULL || start->commit > commit)
		return false;
	*cluster_id = start->cluster_id;
	free(list_shift(&duties->starts));
	return true;
}

void duties_drop(struct duties *duties)
{
	struct awaited_start *start;
	struct duty *duty;

	while ((start = list_shift(&duties->starts)) != NULL)
		free(start);
	while ((duty = list_shift(&duties->all)) != NULL)
		duty_free(&duty);
	list_free(&duties->starts);
	list_free(&duties->fresh);
	list_free(&duties->all);
}
