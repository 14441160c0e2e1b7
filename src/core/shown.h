/*
 * What is kept of a node for people alone: words of servers and of the system, and its last looks.
 * No rule reads it, so it lies apart from what rules read. Monitor thread.
 */
#pragma once

#include <stddef.h>

#include "core/observation.h"

#define NODE_PAST 8      /* looks kept; alike ones in a row are one */
#define LOOK_NAME 128    /* their texts are cut: they are kept for every node */
#define LOOK_MESSAGE 200

/* A look, or several alike in a row. */
struct look {
	int64_t from_ms; /* wall */
	int64_t to_ms;
	int count;
	enum observation_kind kind;
	enum reason reason;       /* of a failure; of a master: why its beat was not written */
	enum reason door;         /* why a fresh connection failed beside it */
	enum row_state row_state; /* of a slave */
	char *master;             /* its row's; these three are words (base/words.h) */
	char *message;
	char *shut;               /* the fresh connection's words */
};

struct shown {
	char *failure; /* what failed last, while the node fails; these three are words (base/words.h) */
	char *door;    /* what the fresh connection said, while the door is shut */
	char *reason;  /* why the node is lost, while it answers */
	struct look *past[NODE_PAST]; /* a ring, the last one is at past_next - 1; made as they come */
	size_t past_count;
	size_t past_next;
};

struct shown *shown_new(void);

/* NULL allowed; clears the pointer. */
void shown_free(struct shown **shown);

/* Keeps what was seen just now. */
void shown_note(struct shown *shown, const struct observation *seen, const struct moment *now);

/* The look that came `back` looks before the last one (0: the last); NULL: none is kept. */
const struct look *shown_look(const struct shown *shown, size_t back);
