/*
 * What a batch with a beat leaves to be done: the table is to be made, to get its REPLICA IDENTITY, or the beat is
 * to be tried (again). It decides; the lane sends. Pure but for what it notes of the table.
 */
#pragma once

#include "pg/questions.h"

#define MEND_REPEATS 2 /* how often one task is asked again */

enum mend {
	MEND_NOTHING,  /* the beat has its outcome */
	MEND_BEAT,     /* the beat, after a question whether it may be, where that is open */
	MEND_AGAIN,    /* the beat, once more, for a reason that passes */
	MEND_TABLE,    /* the table is made, or gets its identity, and the beat follows */
	MEND_IDENTITY  /* the beat was written, but for the identity alone */
};

struct mend_terms {
	int repeats;      /* of this task so far */
	bool at_stake;    /* the node's place: a pause does not count */
	int64_t least_ms; /* the shortest pause (core/pause.h) */
	int64_t now_ms;   /* steady */
};

/*
 * What comes next; `found`: what the batch has told. Where a beat has to wait, `found` has the last one's outcome. What
 * meets a lock is not mended now: that would wait, too.
 */
enum mend mend_next(struct findings *found, const struct mend_terms *terms);
