/*
 * What a batch with a beat leaves to be done: the table is to be made, to get its REPLICA IDENTITY, or the beat is
 * to be tried (again). It decides; the lane sends. Pure but for what it notes of the table.
 */
#pragma once

#include "pg/questions.h"

#define MEND_REPEATS 2 /* how often one task is asked again */

enum mend {
	MEND_NOTHING,  /* the beat has its outcome */
	MEND_BEAT,     /* the beat is to be tried, after ASK_CHECK where that was not asked yet */
	MEND_AGAIN,    /* the beat is to be tried once more: what refused it passes */
	MEND_TABLE,    /* the table is to be made, or to get its identity, and the beat follows */
	MEND_IDENTITY  /* the beat was written; the table is to get its identity */
};

struct mend_terms {
	int repeats;      /* of this task so far */
	bool at_stake;    /* the node's place depends on the beat: no pause puts it off */
	int64_t least_ms; /* the shortest pause (core/pause.h) */
	int64_t now_ms;   /* steady */
};

/*
 * Decides what comes next, by what the batch has told (`found`). Where the beat has to wait, `found` gets the outcome
 * of the last one. Not to be called for a beat that met a lock: mending would wait for the lock, too.
 */
enum mend mend_next(struct findings *found, const struct mend_terms *terms);
