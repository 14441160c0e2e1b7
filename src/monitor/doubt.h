/*
 * A doubt (rule P7): the way to a host has failed, and the question is whether the monitor itself is cut off.
 * Other hosts and the anchors are asked by a TCP connect each. One doubt at a time; nodes whose way fails
 * meanwhile share it. It decides; what follows is its owner's (isolation.h). Monitor thread.
 */
#pragma once

#include "monitor/node.h"
#include "net/own.h"

#define DOUBT_SOON_MS 500 /* cluster-rules.md: an answer within that time lets the failure count at once */
#define DOUBT_STEP_MS 100 /* then more hosts are asked: the first ones may have died together with the node */
#define DOUBT_STEPS 4     /* 2, 4, 8 and 16 hosts */
#define DOUBT_ASKS 64     /* hosts asked in all, with the anchors */

enum doubt_verdict {
	DOUBT_COUNTS, /* a host that was asked first has answered soon, or nobody can tell: the failure is the node's */
	DOUBT_LATE,   /* a host has answered, but late: the nodes are to be asked anew */
	DOUBT_CUT_OFF /* no host was heard: the monitor is isolated */
};

struct asked;

struct doubt {
	struct watches *watches;
	void (*ended)(void *data, enum doubt_verdict verdict);
	void *data;
	struct own own;
	struct list about;    /* watches whose way has failed, while it is open */
	int64_t began_ms;     /* steady */
	int64_t proven_ms;    /* when the last doubt began that was settled soon; INT64_MIN: none was */
	bool heard;           /* another host has answered a look that began after the doubt */
	unsigned stalls;      /* how often the monitor had stalled when it began (P4) */
	struct deadline timer;
	int step;
	struct asked *asked[DOUBT_ASKS];
	size_t asked_count;
	size_t anchors;       /* how many of `asked` are anchors */
	size_t cursor;        /* which watch to ask next */
	char friend[NAME_BYTES]; /* the host that answered last: it is asked first */
};

/* `watches` are there from now on; `ended` is called once for each doubt that begins, but for those called off. */
void doubt_open(struct doubt *doubt, struct watches *watches, void (*ended)(void *data, enum doubt_verdict verdict),
		void *data);
void doubt_close(struct doubt *doubt);

/*
 * The way to the watch's host has failed: a doubt begins, or the one that is open is about this node, too.
 * False: there is nobody else to ask.
 */
bool doubt_raise(struct doubt *doubt, struct watch *watch);

/* Whether another host has answered soon in a doubt that began at `since_ms` (steady), or later. */
bool doubt_is_settled(const struct doubt *doubt, int64_t since_ms);

/* Another host has answered a look that began at `asked_ms`. */
void doubt_hear(struct doubt *doubt, int64_t asked_ms);

/* The way to the watch's host works: the doubt is not about it any more. */
void doubt_forget(struct doubt *doubt, struct watch *watch);

/* Ends the open doubt without a verdict. */
void doubt_call_off(struct doubt *doubt);

/* The host that a node is on: the address last connected to, else its name. The watch's. */
const char *doubt_host(const struct watch *watch);

/* Whether the node is on another machine than the monitor. */
bool doubt_is_away(struct doubt *doubt, const struct watch *watch);

/* Whether nodes on at least two other machines are configured. */
bool doubt_has_two_hosts(struct doubt *doubt);

/*
 * A node on another host than this one's that is in its place, for a question that is not about isolation; NULL:
 * none is known.
 */
const struct watch *doubt_other(struct doubt *doubt, const struct watch *watch);
