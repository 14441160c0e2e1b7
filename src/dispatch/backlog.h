/*
 * What is queued and what is under way, an action of an event each: a list of it for people, what an action waits for,
 * and the two ways in which what waits leaves without having run. Monitor's loop.
 */
#pragma once

#include "dispatch/action.h"
#include "dispatch/queue.h"

#define BACKLOG_ID_BYTES 48

/* An action that has not ended: entry `index` of the run's trigger. */
struct backlog_row {
	const struct run *run; /* lives until its queue changes */
	size_t index;
	bool is_under_way; /* it has been started; false: it waits for its turn, or a place */
};

/* A list of them; zero-initialised: none yet. */
struct backlog {
	struct backlog_row *rows;
	size_t count;
	size_t room;
	size_t under_way; /* how many there are in all, listed or not, */
	size_t waiting;   /* and how many that wait */
};

/* What is known of an action beside its event and its configuration. Texts live for ever but for `behind`. */
struct backlog_look {
	char id[BACKLOG_ID_BYTES]; /* "17", or "17.2": the second of the event's actions, as they are configured */
	const char *state;         /* "running", "ending" (it was told to, and has 5 s for that) or "waiting" */
	int64_t since_ms;          /* steady: it was started, or its event was queued, then */
	/*
	 * "turn": those of its queue, or of its event, that are before it, or its node's in another cluster; "place": one
	 * of trigger_parallel; "host": its script host; "term": what the gate waits for; or what its code waits for, as
	 * runner.h says. NULL: it runs.
	 */
	const char *waits_for;
	int64_t waits_since_ms;        /* steady; 0: since `since_ms` */
	char behind[BACKLOG_ID_BYTES]; /* of "turn": whom it waits for; else empty */
	int pid;                       /* of a command that runs; 0: there is none */
};

/* Adds all that runs of these queues, and of what waits `most` at the least, the oldest, if there is so much. */
void backlog_add(struct backlog *backlog, const struct queues *queues, size_t most);

/* Sorts the list: what runs, the oldest first, then what waits likewise; and leaves `most` rows at the most. */
void backlog_sort(struct backlog *backlog, size_t most);
void backlog_free(struct backlog *backlog);

/* The row of this id; false: there is none. */
bool backlog_find(const struct queues *queues, const char *id, struct backlog_row *row);
const struct config_action *backlog_action(const struct backlog_row *row);
struct backlog_look backlog_look_at(const struct backlog_row *row);

/* Tells of each of the event's actions that has not ended: "running" or "waiting". */
void backlog_tell_left(const struct queues *queues, const char *event_id, dispatch_told *told, void *data);

/* The run ends, nothing of it is under way; its actions that have not run are told as dropped. Takes over `how`. */
void backlog_end(const struct action_kit *kit, struct run *run, enum log_level level, char *how);

/* The same for a run that is dropped: it counts as that, and is an error. */
void backlog_drop(const struct action_kit *kit, struct run *run, const char *why);

/* The run's action `index`, which it has left and which is not under way, is dropped `by` somebody; the others stay. */
void backlog_strike(const struct action_kit *kit, struct run *run, size_t index, const char *by);
