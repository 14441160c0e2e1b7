/*
 * The jury: where several monitors watch one fleet, the one that acts lets a node's failure count only when most of the
 * monitors that can say see it, too (core/votes.h; `monitors.votes`). It asks them when half of the time of a look has
 * passed, or when a failure comes before that, so that all look at the same time. The failure waits until the others
 * have said enough, for query_timeout and a second at most from the question on. A monitor that stands by answers
 * questions, and judges alone: what it concludes fires nothing.
 *
 * Each attempt that fails is a new question, with a number of its own: what was said to an earlier one does not count.
 * When most see the node, it is failing, and keeps its place by P6 (a sitting master) or P8, until the next attempt.
 * What a node says itself is not put to the vote: a beat that it refuses, or a fresh connection that it shuts out
 * while another one stands.
 *
 * No monitor says anything of nodes that answer, unless asked: a fleet that is well costs nothing, however large it
 * is. One that is down as a whole costs a question and a vote of each monitor for each node.
 *
 * It knows nothing of how the others are reached. The owner makes it for all monitors that it makes, one after another.
 * Monitor thread.
 */
#pragma once

#include "monitor/node.h"

#define JURY_WAIT_MS 1000 /* how long the others have to answer, beside query_timeout */
#define JURY_BEHIND_MS 2000 /* how long it sees fewer nodes than the others before another one is to act */

/* Called on the monitor's loop, also from inside calls of the jury's functions; must not call back from there. */
struct jury_peers {
	/* Asks all others what they see of the node; `number` rises with each question; 0: withdraws the question. */
	void (*ask)(void *data, const char *node, unsigned long number);
	/*
	 * Tells the monitor that has asked by that number what this one sees, and how many nodes it does not see in
	 * all; VOTE_OPEN: what was said holds no more.
	 */
	void (*see)(void *data, const char *node, unsigned long number, const struct vote *vote, size_t missing);
	/*
	 * One of the others should act: this one acts, but fails to see `missing` nodes, more than most of the others;
	 * 0: it is isolated, and another one is not.
	 */
	void (*behind)(void *data, size_t missing);
};

struct question;

struct jury {
	const struct jury_peers *peers;
	void *data;
	char *name;      /* this monitor's */
	bool acts;
	struct list live; /* names of the others, char * */
	unsigned long number; /* of the last question */
	struct watches *watches; /* NULL: there is no monitor now */
	void (*over)(struct question *question); /* called when the time to answer it is over */
	size_t missing;      /* how many nodes are not seen (juror_missing()) */
	int64_t counted_ms;  /* steady: when `missing` was counted; 0: never */
	bool is_behind;      /* in this term `behind` was called */
	int64_t behind_ms;   /* steady: since when most others see more nodes; 0: they do not */
};

void jury_init(struct jury *jury, const char *name, const struct jury_peers *peers, void *data);
void jury_clear(struct jury *jury);

/* Adds it to the watches as a gate, behind isolation's and before witness's. Returns `jury`; NULL allowed. */
struct jury *jury_open(struct jury *jury, struct watches *watches);

/* Before the watches end. NULL allowed. */
void jury_close(struct jury *jury);

/* Whether this monitor acts from now on. */
void jury_act(struct jury *jury, bool acts);

/* Sets which other monitors are there; the names are copied. One that has gone is not waited for. */
void jury_live(struct jury *jury, const char *const *names, size_t count);

/*
 * The monitor is isolated (P7): it cannot say what is asked of it. If it acts, it asks whether others see what it does
 * not. NULL allowed.
 */
void jury_cut_off(struct jury *jury);

/* That monitor has said what it sees of the node, to the question of that number. */
void jury_told(struct jury *jury, const char *node, unsigned long number, const struct vote *vote, size_t missing);
