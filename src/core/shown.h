/*
 * What is kept of a node only to be shown to people: messages of servers and of the system, and its last looks
 * (observations). No rule reads it, so it lies apart from what rules read. Monitor thread.
 */
#pragma once

#include <stddef.h>

#include "core/observation.h"

#define NODE_PAST 8      /* looks that are kept; equal ones in a row count as one */
#define LOOK_NAME 128    /* a name in a look is cut to this, because looks are kept for every node */
#define LOOK_MESSAGE 200 /* a message in a look is cut to this */

/* A look, or several equal ones in a row. Its three texts are words (base/words.h). */
struct look {
	int64_t from_ms; /* wall clock, the first of them */
	int64_t to_ms;   /* wall clock, the last of them */
	int count;
	enum observation_kind kind;
	enum reason reason;       /* of a failure; of a master: why its beat was not written */
	enum reason door;         /* why a fresh connection failed while the kept one answered */
	enum row_state row_state; /* of a slave */
	char *master;             /* the master that the row names */
	char *message;            /* of a failure, or of a beat that was not written */
	char *shut;               /* why the fresh connection failed, in the server's words */
};

/* Its three texts are words (base/words.h). */
struct shown {
	char *failure; /* the message of the last failed attempt, while the node fails */
	char *door;    /* the message of the last fresh connection, while these fail and the kept one answers */
	char *reason;  /* why the node is lost, while it answers */
	struct look *past[NODE_PAST]; /* a ring; the newest is at past_next - 1 */
	size_t past_count;
	size_t past_next;
};

struct shown *shown_new(void);

/* NULL allowed; clears the pointer. */
void shown_free(struct shown **shown);

/* Adds an observation to the looks. */
void shown_note(struct shown *shown, const struct observation *seen, const struct moment *now);

/* Returns the look that came `back` looks before the last one (0: the last); NULL: it is not kept. */
const struct look *shown_look(const struct shown *shown, size_t back);
