/*
 * What the monitor's thread gives to the window's: the newest pane and status text, which replace each other, and
 * notes, which are all taken, in order. Giving never waits, whatever the window's thread does, also when a debugger has
 * stopped it: pointers are exchanged, no lock is taken. So what may pile up meanwhile is bounded by a count.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/chain.h"
#include "window/pane.h"
#include "window/terms.h"

#define INBOX_NOTES 4096 /* of events and runs that may wait: some hundred bytes each */

enum note_kind {
	NOTE_EVENT,    /* an event fired */
	NOTE_STARTED,  /* one of its triggers has begun */
	NOTE_ENDED,    /* one of its triggers has ended, or was dropped */
	NOTE_MISSED,   /* some of these found no place; the window's own note */
	NOTE_ANSWER,   /* what the monitor says to what was asked */
	NOTE_TERMS,    /* other settings from now on */
	NOTE_END       /* the window closes, its thread ends */
};

struct note {
	struct link link; /* the inbox's */
	enum note_kind kind;
	const char *name;     /* a literal: the event's, "trigger_started", "trigger_ended", "missed" */
	unsigned long number; /* of the event; of what was asked */
	int64_t time_ms;      /* wall clock */
	int cluster_id;       /* of the event; -1: it is of none */
	char *id;    /* of the event; these texts are the note's, NULL: none */
	char *node;  /* "host:port" of the node that the event is about */
	char *text;  /* JSON: the event, the run, the answer */
	struct terms *terms; /* whoever takes the note takes these over */
};

struct inbox {
	_Atomic(struct pane *) pane;
	_Atomic(char *) status; /* terminated */
	struct chain notes;
	atomic_size_t waiting; /* of events and runs */
	atomic_bool lost;      /* some of them found no place */
};

struct note *note_new(enum note_kind kind);

/* The one behind it, of those that were taken with it; NULL: it is the last. */
struct note *note_next(const struct note *note);

/* NULL allowed; clears the pointer. Frees its terms as well. */
void note_free(struct note **note);

/* Takes over the pane, or the text. Monitor thread. */
void inbox_put_pane(struct inbox *inbox, struct pane *pane);
void inbox_put_status(struct inbox *inbox, char *text);

/* Takes over the note; one of an event or a run that finds no place is dropped, and that is told. Monitor thread. */
void inbox_add(struct inbox *inbox, struct note *note);

/* What came since the last call, the caller's; NULL: nothing. Window thread. */
struct pane *inbox_take_pane(struct inbox *inbox);
char *inbox_take_status(struct inbox *inbox);

/* The same of notes, the oldest first; note_next() leads on. `*lost`: some were dropped since the last call. */
struct note *inbox_take_notes(struct inbox *inbox, bool *lost);

/* Frees what nobody took. */
void inbox_free(struct inbox *inbox);
