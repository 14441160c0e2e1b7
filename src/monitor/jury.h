/*
 * The jury: of several monitors of one fleet the one that acts takes a loss for one only when most of those see it that can
 * say (core/votes.h; `monitors.votes`). It asks at the first doubt, when half of the time of a look has passed, or when a
 * failure is told at once, so that all look beside each other. What it has seen itself waits until the others have said
 * enough, for query_timeout and a second at most from the question on. Who stands by answers questions, and judges alone:
 * what it concludes fires nothing.
 *
 * Each attempt that fails is a question anew, with a number of its own: what was said to an earlier one does not count.
 * When most see the node, it is failing, and keeps its place by P6 (a sitting master) or P8, until the next attempt. What
 * a node says itself is not put to the vote: a beat that it refuses, or a fresh connection that it shuts out while
 * another one stands.
 *
 * Nobody says anything of nodes that answer, unless asked: a fleet that is well costs nothing, however large it is. One
 * that is down as a whole costs a question and a vote of each monitor for each node.
 *
 * It knows nothing of how the others are reached. The owner makes it for all monitors that it makes, one after another.
 * Monitor thread.
 */
#pragma once

#include "monitor/node.h"

#define JURY_WAIT_MS 1000 /* beside query_timeout */
#define JURY_BEHIND_MS 2000 /* so long it fails to see more than the others before it stands back for one of them */

/* Called on the monitor's loop, also from inside calls of the jury's functions; must not call back from there. */
struct jury_peers {
	/* All others are asked what they see of the node; 0: not any more. Numbers rise. */
	void (*ask)(void *data, const char *node, unsigned long number);
	/*
	 * Who has asked by that number is told what this one sees, and how many nodes it does not see in all; VOTE_OPEN:
	 * what was said holds no more.
	 */
	void (*see)(void *data, const char *node, unsigned long number, const struct vote *vote, size_t missing);
	/* It acts, and fails to see more nodes than most of the others do: one of them should act. */
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
	void (*over)(struct question *question); /* the time to answer it is over */
	size_t missing;      /* how many nodes are not seen, counted */
	int64_t counted_ms;  /* at that time (steady) */
	int64_t behind_ms;   /* since when others see a node that this one does not; 0: they do not */
};

void jury_init(struct jury *jury, const char *name, const struct jury_peers *peers, void *data);
void jury_clear(struct jury *jury);

/* It becomes a gate of the watches', behind isolation's and before witness's. NULL: nothing; returns it. */
struct jury *jury_open(struct jury *jury, struct watches *watches);

/* Before the watches end. NULL allowed. */
void jury_close(struct jury *jury);

/* Whether this monitor acts from now on. */
void jury_act(struct jury *jury, bool acts);

/* Who else is there now; the names are copied. Whoever has gone is not waited for. */
void jury_live(struct jury *jury, const char *const *names, size_t count);

/* That monitor has said what it sees of the node, to the question of that number. */
void jury_told(struct jury *jury, const char *node, unsigned long number, const struct vote *vote, size_t missing);
