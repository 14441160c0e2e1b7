#include "daemon/quiet.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "loop/timer.h"

#define LOOK_MS 60000 /* the longest time between two looks at the wall clock, as it may be set */

struct quiet {
	struct silences all;
	struct meters *meters;
	void (*changed)(void *data);
	void *data;
	struct timer *timer; /* fires when the next silence ends */
	unsigned long generation;
};

/* ---- what is logged ---- */

static struct log_about about(const struct silence *silence)
{
	return (struct log_about){
		.has_cluster = silence->kind == SILENCE_CLUSTER,
		.cluster_id = silence->cluster_id,
		.node = silence->node,
	};
}

/* "all events", "events of cluster 0", "events of node db1:5432"; the caller's. */
static char *events_of(const struct silence *silence)
{
	switch (silence->kind) {
	case SILENCE_ALL:
		break;
	case SILENCE_CLUSTER:
		return mem_printf("events of cluster %d", silence->cluster_id);
	case SILENCE_NODE:
		return mem_printf("events of node %s", silence->node);
	}
	return mem_strdup("all events");
}

/* Logs an error, so that everybody who looks at the log sees that triggers are off. */
static void log_begin(const struct silence *silence)
{
	struct log_about place = about(silence);
	char *events = events_of(silence);
	struct buf words = { 0 };

	silence_add_words(silence, &words);
	log_line(LOG_LEVEL_ERROR, &place, "triggers of %s do not run: %s", events, buf_text(&words));
	buf_free(&words);
	free(events);
}

/* `by` NULL: this monitor does not know who has ended it. */
static void log_end(const struct silence *silence, bool is_over, const char *by)
{
	struct log_about place = about(silence);
	char *events = events_of(silence);

	log_line(LOG_LEVEL_ERROR, &place, "the silence of %s %s%s%s", events, is_over ? "is over" : "was ended",
		 by != NULL ? " by " : "", by != NULL ? by : "");
	free(events);
}

/* ---- those in force ---- */

static void set_timer(struct quiet *quiet)
{
	int64_t next_ms = silences_next_end(&quiet->all);
	int64_t left_ms = next_ms - clock_wall_ms();

	if (next_ms == INT64_MAX)
		timer_stop(quiet->timer);
	else
		timer_start(quiet->timer, left_ms < 0 ? 0 : (left_ms < LOOK_MS ? left_ms : LOOK_MS));
}

static void change(struct quiet *quiet)
{
	quiet->generation++;
	gauge_set(&quiet->meters->silences, (int64_t)quiet->all.count);
	set_timer(quiet);
	quiet->changed(quiet->data);
}

static void on_time(void *data)
{
	struct quiet *quiet = data;
	int64_t now_ms = clock_wall_ms();
	const struct silence *over;
	bool is_changed = false;

	while ((over = silences_over(&quiet->all, now_ms)) != NULL) {
		log_end(over, true, NULL);
		(void)silences_drop(&quiet->all, over);
		is_changed = true;
	}
	if (is_changed)
		change(quiet);
	else
		set_timer(quiet);
}

/* False: there are too many. */
static bool begin(struct quiet *quiet, const struct silence *silence)
{
	if (!silences_put(&quiet->all, silence))
		return false;
	log_begin(silence);
	return true;
}

void quiet_inherit(struct quiet *quiet, const struct silences *silences)
{
	int64_t now_ms = clock_wall_ms();

	for (size_t i = 0; i < silences->count; i++) {
		if (silences->items[i].until_ms > now_ms)
			(void)begin(quiet, &silences->items[i]);
	}
	if (quiet->all.count > 0)
		change(quiet);
}

/* Ends the silences that are not among the stored ones any more. True: there were some. */
static bool drop_missing(struct quiet *quiet, const struct silences *stored, int64_t now_ms)
{
	size_t before = quiet->all.count;

	for (size_t i = 0; i < quiet->all.count;) {
		const struct silence *silence = &quiet->all.items[i];

		if (silences_find(stored, silence) != NULL) {
			i++;
			continue;
		}
		log_end(silence, silence->until_ms <= now_ms, NULL);
		(void)silences_drop(&quiet->all, silence);
	}
	return quiet->all.count != before;
}

void quiet_take(struct quiet *quiet, const struct silences *stored)
{
	int64_t now_ms = clock_wall_ms();
	bool is_changed = drop_missing(quiet, stored, now_ms);

	for (size_t i = 0; i < stored->count; i++) {
		const struct silence *one = &stored->items[i];
		const struct silence *known = silences_find(&quiet->all, one);

		if (one->until_ms > now_ms && (known == NULL || !silence_same(known, one)))
			is_changed = begin(quiet, one) || is_changed;
	}
	if (is_changed)
		change(quiet);
}

bool quiet_put(struct quiet *quiet, const struct silence *silence)
{
	bool is_put = begin(quiet, silence);

	if (is_put)
		change(quiet);
	return is_put;
}

bool quiet_drop(struct quiet *quiet, const struct silence *like, const char *by)
{
	if (silences_find(&quiet->all, like) == NULL)
		return false;
	log_end(like, false, by);
	(void)silences_drop(&quiet->all, like);
	change(quiet);
	return true;
}

const struct silences *quiet_all(const struct quiet *quiet)
{
	return &quiet->all;
}

unsigned long quiet_generation(const struct quiet *quiet)
{
	return quiet->generation;
}

void quiet_mark(const struct quiet *quiet, struct event *event)
{
	const struct silence *silence = silences_of_event(&quiet->all, event, clock_wall_ms());
	struct buf words = { 0 };

	if (silence == NULL)
		return;
	silence_add_words(silence, &words);
	event_set_silenced(event, buf_text(&words));
	buf_free(&words);
}

/* ---- start and end ---- */

struct quiet *quiet_new(uv_loop_t *loop, struct meters *meters, void (*changed)(void *data), void *data)
{
	struct quiet *quiet = mem_zalloc(1, sizeof(*quiet));

	quiet->meters = meters;
	quiet->changed = changed;
	quiet->data = data;
	quiet->timer = timer_new(loop, on_time, quiet);
	return quiet;
}

void quiet_stop(struct quiet *quiet)
{
	timer_stop(quiet->timer);
}

void quiet_free(struct quiet **quiet_p)
{
	struct quiet *quiet = *quiet_p;

	*quiet_p = NULL;
	if (quiet == NULL)
		return;
	timer_free(&quiet->timer);
	silences_free(&quiet->all);
	free(quiet);
}
