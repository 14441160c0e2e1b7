/*
 * The inbox carries what the monitor's thread gives to the window's: the newest pane and the newest status text, each
 * of which replaces the one before, and notes, all of which arrive, in order. The monitor's thread exchanges pointers
 * and takes no lock, so it never waits, even when a debugger has stopped the window's thread. A count bounds the
 * notes that pile up then.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/chain.h"
#include "window/pane.h"
#include "window/terms.h"

#define INBOX_NOTES 4096 /* notes of events and runs that may wait; each has some hundred bytes */

enum note_kind {
	NOTE_EVENT,    /* an event fired */
	NOTE_STARTED,  /* one of its triggers has begun */
	NOTE_ENDED,    /* one of its triggers has ended, or was dropped */
	NOTE_MISSED,   /* some of these were dropped for lack of room; the window's thread makes this note itself */
	NOTE_ANSWER,   /* the monitor's answer to an asking (asking.h) */
	NOTE_TERMS,    /* new settings of the window (terms.h) */
	NOTE_END       /* the window's thread must end */
};

struct note {
	struct link link; /* the inbox's */
	enum note_kind kind;
	const char *name;     /* a literal: the event's, "trigger_started", "trigger_ended", "missed" */
	unsigned long number; /* of the event, or of the asking */
	int64_t time_ms;      /* wall clock */
	int cluster_id;       /* of the event; -1: no cluster's */
	char *id;    /* of the event; NULL: none. The note owns this and the other texts. */
	char *node;  /* "host:port" of the node that the event is about */
	char *text;  /* JSON: the event, the run, the answer */
	struct terms *terms; /* whoever takes the note owns them */
};

struct inbox {
	_Atomic(struct pane *) pane;
	_Atomic(char *) status; /* terminated */
	struct chain notes;
	atomic_size_t waiting; /* notes of events and runs in `notes` */
	atomic_bool lost;      /* some notes were dropped for lack of room */
};

struct note *note_new(enum note_kind kind);

/* Returns the next of the notes that were taken together; NULL: it is the last. */
struct note *note_next(const struct note *note);

/* Accepts NULL, and clears the pointer. Frees the note's terms as well. */
void note_free(struct note **note);

/* Gives the pane, or the text, which the inbox owns afterwards. Monitor thread. */
void inbox_put_pane(struct inbox *inbox, struct pane *pane);
void inbox_put_status(struct inbox *inbox, char *text);

/* Gives the note. One of an event or a run is dropped where too many wait; the next take says so. Monitor thread. */
void inbox_add(struct inbox *inbox, struct note *note);

/* Take what came since the last call, which the caller owns; NULL: nothing came. Window thread. */
struct pane *inbox_take_pane(struct inbox *inbox);
char *inbox_take_status(struct inbox *inbox);

/*
 * Takes the notes that came since the last call; NULL: none. Returns the oldest, and note_next() leads to the others.
 * `*lost`: some were dropped since the last call. Window thread.
 */
struct note *inbox_take_notes(struct inbox *inbox, bool *lost);

/* Frees what was not taken. No other thread may use the inbox any more. */
void inbox_free(struct inbox *inbox);
