/*
 * A monitor as one that is asked by the jury of another (jury.h): it looks at the node at once and says what it sees, and
 * again when that changes, until it is asked no more. Monitor thread.
 */
#pragma once

#include "monitor/jury.h"

/* What is asked about one node. */
struct question {
	struct jury *jury;
	struct watch *watch;
	struct deadline timer; /* while the others are asked: the end of that; else: another look */
	/* Ours: */
	unsigned long number; /* 0: nobody is asked */
	int64_t asked_ms;     /* steady */
	bool is_over;         /* nobody is waited for any more */
	struct votes *votes;  /* NULL: it was never asked */
	size_t *missing;      /* of each voter: how many nodes it does not see */
	/* Another monitor's: */
	unsigned long theirs; /* 0: nobody asks us */
	bool is_new;          /* the look under way, if one is, began before the question */
	enum vote_says told;  /* what it was told; VOTE_OPEN: nothing yet */
};

/* The watch's, made when there is none yet; jury's gate ends it. */
struct question *juror_question(struct jury *jury, struct watch *watch);

/* How many nodes did not answer last, or never have. */
size_t juror_missing(struct jury *jury);

/*
 * What was seen of the node is told who asks, if somebody does. An answer to what was asked before the question may be
 * older than the doubt: the node is asked anew.
 */
void juror_saw(struct question *question, const struct observation *seen);

/* Another monitor asks what is seen of the node; 0: not any more. */
void juror_asked(struct jury *jury, const char *node, unsigned long number);

/* The monitor is isolated (P7): it cannot say. NULL allowed. */
void juror_cut_off(struct jury *jury);
