/*
 * An event as it is stored, with what became of each of its triggers' actions, so that another monitor can go on
 * with them: its node (in full, as it was then), rival and witnesses, but of its cluster only the id. The picture of
 * that is the one of who reads it (records/event_reading.h). Pure.
 */
#pragma once

#include "core/view.h"

enum event_run_state {
	EVENT_RUN_QUEUED,
	EVENT_RUN_STARTED,
	EVENT_RUN_DONE,   /* however it ended */
	EVENT_RUN_UNKNOWN /* started, and nobody knows how it ended; it may not run again */
};

/* "queued", "started", "done", "unknown". */
const char *event_run_state_name(enum event_run_state state);

/* One action of an event's trigger. */
struct event_run {
	char *trigger; /* "triggers.master_up[2]" */
	enum event_run_state state;
	char *outcome; /* how it ended, in the log's words; NULL: not told */
};

struct event_record {
	struct event *event; /* a reference */
	struct event_run *runs;
	size_t run_count;
};

#define EVENT_RECORDS "events/" /* twelve digits follow */

/* The key of the event of that number, the caller's: keys are in the order of their numbers. */
char *event_record_key(unsigned long number);

/* The number of an event, the second half of its id; 0: it has none. */
unsigned long event_record_number(const char *id);

/* One JSON object, appended. */
void event_record_render(const struct event_record *record, struct buf *out);

/* Frees what it holds. */
void event_record_clear(struct event_record *record);
