/*
 * What is known of a node's heartbeat table, over all its connections, and what its server has refused to do
 * with it: that is tried again after a pause (pause.h), for each refusal is an error in the server's log. Times
 * are steady ms; `least_ms` is retry_interval. Monitor thread.
 */
#pragma once

#include "core/pause.h"
#include "pg/evidence.h"

/* The last beat that was refused. */
struct refused_beat {
	struct pause pause;
	bool missing; /* there was no table */
	enum beat_state state;
	enum reason reason;
	char message[MESSAGE_BYTES];
};

/* What the server has refused, or what keeps its row from being read. */
struct table_refusals {
	struct evidence row_failure; /* why its row could not be read; REASON_NONE: a lock, or it could */
	struct pause row_pause;      /* before the row is asked for again */
	struct refused_beat beat;
	struct pause alter_pause;    /* before its REPLICA IDENTITY is set again */
};

/* Zero-initialised: nothing yet. */
struct table_known {
	bool deaf;      /* the role may not ask what the server hears of its master (42501, ...) */
	bool pool_told; /* the log was told that a connection pool lies between */
	bool there;     /* the table was there, last time: its row is asked for without asking the catalogue */
	bool written;  /* a beat was written, last time: the next is sent without asking the catalogue */
	bool remarked; /* the log was told that there is no right to set REPLICA IDENTITY */
	bool row_failed; /* its row could not be read, last time: the catalogue is asked first */
	struct table_refusals *refusals; /* made by the first one, kept until table_free(); NULL: there was none */
};

void table_free(struct table_known *table);

/* Why the row could not be read, the last time; REASON_NONE: nothing, or a lock. The table's, until it changes. */
const struct evidence *table_row_failure(const struct table_known *table);

/* Notes why the row cannot be read; NULL: it can, or a lock keeps it. */
void table_set_row_failure(struct table_known *table, const struct evidence *failure);

/* Whether the server has refused the last beat, and no beat was written since. */
bool table_refuses_beats(const struct table_known *table);

/* Whether its REPLICA IDENTITY may be set now: that was not refused, or the pause after that is over. */
bool table_may_alter(const struct table_known *table, int64_t least_ms, int64_t now_ms);

/* Ends all pauses: what was refused may be tried at once. */
void table_forget_pauses(struct table_known *table);

/*
 * Notes whether the server has refused to set the table's REPLICA IDENTITY; `forbidden`: for want of a right. Returns
 * whether the log is to be told of that, which is once.
 */
bool table_note_alter(struct table_known *table, bool refused, bool forbidden, int64_t now_ms);

/* Notes that a connection pool lies between. Returns whether the log is to be told, which is once. */
bool table_note_pool(struct table_known *table);

/* Notes the outcome of a beat that was tried; `missing`: there is no table. */
void table_note_beat(struct table_known *table, const struct beat_result *result, bool missing, int64_t now_ms);

/*
 * Whether the next beat has to wait; `result` is set to the last one's then. A refusal from before the table was made,
 * or dropped (`missing`), does not count.
 */
bool table_puts_off_beat(const struct table_known *table, bool missing, int64_t least_ms, int64_t now_ms,
			 struct beat_result *result);

/* Begins, goes on with or ends the row's pause, by `row_failed` and `row_failure`, after the row was asked for. */
void table_note_row(struct table_known *table, int64_t now_ms);

/* Whether the next question for the row has to wait. */
bool table_puts_off_row(const struct table_known *table, int64_t least_ms, int64_t now_ms);
