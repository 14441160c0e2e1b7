/*
 * An event as it is stored, with what became of each of its triggers' actions, so that another monitor can go on
 * with them: its node (in full, as it was then), rival and witnesses, but of its cluster only the id. Who reads the
 * record takes its own picture of that cluster (records/event_reading.h). Pure.
 */
#pragma once

#include "core/view.h"

enum event_run_state {
	EVENT_RUN_QUEUED,
	EVENT_RUN_STARTED,
	EVENT_RUN_DONE,   /* ended, well or not */
	EVENT_RUN_UNKNOWN /* started, and nobody knows how it ended; it may not run again */
};

/* "queued", "started", "done", "unknown". */
const char *event_run_state_name(enum event_run_state state);

/* One action of an event's trigger. */
struct event_run {
	char *trigger; /* "triggers.master_up[2]" */
	enum event_run_state state;
	char *outcome; /* how it ended, in the log's words; NULL: not known */
};

struct event_record {
	struct event *event; /* a reference */
	struct event_run *runs;
	size_t run_count;
};

#define EVENT_RECORDS "events/" /* twelve digits follow */

/* Returns the key of the event of that number; the caller frees it. Keys sort as their numbers do. */
char *event_record_key(unsigned long number);

/* Returns the number of an event, which is the second half of its id; 0: it has none. */
unsigned long event_record_number(const char *id);

/* Appends one JSON object. */
void event_record_render(const struct event_record *record, struct buf *out);

/* Frees what the record holds. */
void event_record_clear(struct event_record *record);
