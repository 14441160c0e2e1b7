/*
 * A monitor as one that is asked by the jury of another (jury.h): it looks at the node at once and says what it sees,
 * and again when that changes, until it is asked no more. Monitor thread.
 */
#pragma once

#include "monitor/jury.h"

/* What is asked about one node. */
struct question {
	struct jury *jury;
	struct watch *watch;
	struct deadline timer; /* ends the time for the others' answers; if they are not asked, begins a look */
	/* what this monitor asks the others: */
	unsigned long number; /* 0: nobody is asked */
	int64_t asked_ms;     /* steady */
	bool is_over;         /* the time for answers is over */
	struct votes *votes;  /* NULL: it was never asked */
	size_t *missing;      /* how many nodes each voter does not see */
	/* what another monitor asks this one: */
	unsigned long theirs; /* its number; 0: nobody asks us */
	bool is_new;          /* the look under way, if one is, began before the question */
	enum vote_says told;  /* what it was told; VOTE_OPEN: nothing yet */
};

/* The watch's question, made when there is none yet; the jury's gate frees it. */
struct question *juror_question(struct jury *jury, struct watch *watch);

/* How many nodes did not answer last, or never have. */
size_t juror_missing(struct jury *jury);

/*
 * Tells the monitor that asks, if one does, what was seen of the node. An answer in a look that began before its
 * question may be older than its doubt: then the node is asked anew.
 */
void juror_saw(struct question *question, const struct observation *seen);

/* Another monitor asks what is seen of the node; `number` 0: it asks no more. */
void juror_asked(struct jury *jury, const char *node, unsigned long number);

/* The monitor is isolated (P7): tells the monitors that ask that it cannot say. */
void juror_cut_off(struct jury *jury);
