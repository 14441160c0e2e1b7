/*
 * The backlog lists for people the actions of events that wait or are under way, and says what each waits for. Here are
 * also the two ways to drop what waits. Monitor's loop.
 */
#pragma once

#include "dispatch/action.h"
#include "dispatch/queue.h"

#define BACKLOG_ID_BYTES 48

/* An action that has not ended: entry `index` of the run's trigger. */
struct backlog_row {
	const struct run *run; /* valid until its queue changes */
	size_t index;
	bool is_under_way; /* it has been started; false: it waits for its turn, or a slot */
};

/* A list of rows; zero-initialised: empty. Ended by backlog_free(). */
struct backlog {
	struct backlog_row *rows;
	size_t count;
	size_t room;
	size_t under_way; /* how many actions are under way in all, listed or not */
	size_t waiting;   /* how many actions wait in all, listed or not */
};

/* What is known of an action besides its event and its configuration. Its texts are literals, but for the arrays. */
struct backlog_look {
	char id[BACKLOG_ID_BYTES]; /* "17", or "17.2": the second of the event's actions, as they are configured */
	const char *state;         /* "running", "ending" (it was told to end, and has 5 s for that) or "waiting" */
	int64_t since_ms;          /* steady: when it was started, or its event was queued */
	/*
	 * What it waits for. "turn": the end of actions before it in its event or queue, or of its node's events in
	 * another cluster. "place": one of the trigger_parallel slots. "host": its script host. "term": the gate.
	 * Other words: what its code waits for, as runner.h says. NULL: it runs.
	 */
	const char *waits_for;
	int64_t waits_since_ms;        /* steady; 0: since `since_ms` */
	char behind[BACKLOG_ID_BYTES]; /* of "turn": the id of the action that it waits for; else empty */
	int pid;                       /* of a command that runs; 0: there is none */
};

/* Adds all actions under way in these queues, and the oldest of those that wait: `most` or a few more. */
void backlog_add(struct backlog *backlog, const struct queues *queues, size_t most);

/* Sorts the list: what runs, the oldest first, then what waits, the oldest first. Keeps the first `most` rows. */
void backlog_sort(struct backlog *backlog, size_t most);
void backlog_free(struct backlog *backlog);

/* The row of this id; false: there is none. */
bool backlog_find(const struct queues *queues, const char *id, struct backlog_row *row);
const struct config_action *backlog_action(const struct backlog_row *row);
struct backlog_look backlog_look_at(const struct backlog_row *row);

/* Tells of each of the event's actions that has not ended: "running" or "waiting". */
void backlog_tell_left(const struct queues *queues, const char *event_id, dispatch_told *told, void *data);

/* Ends a run of which nothing is under way. Logs `how`, which it takes over, and tells its actions left as dropped. */
void backlog_end(const struct action_kit *kit, struct run *run, enum log_level level, char *how);

/* Does the same for a run that is dropped: logs an error, and counts it among the dropped events. */
void backlog_drop(const struct action_kit *kit, struct run *run, const char *why);

/* Drops the run's action `index`, which has neither ended nor started, for `by`; the others stay. */
void backlog_strike(const struct action_kit *kit, struct run *run, size_t index, const char *by);
