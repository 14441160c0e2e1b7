/*
 * What monitors ask and tell each other of nodes that fail, on the monitor's side: to the clerk as keys and texts (slip.h),
 * and from it to who answers for this monitor. The council owns it. Monitor's loop.
 */
#pragma once

#include <jansson.h>

#include "core/votes.h"
#include "council/clerk.h"

/* Called on the loop, never from inside a call of the owner's. */
struct polls_events {
	/* Another monitor, which acts, asks what we see of the node; 0: not any more. */
	void (*asked)(void *data, const char *node, unsigned long number);
	/* Another monitor has said what it sees of the node, to the question of that number. */
	void (*told)(void *data, const char *node, unsigned long number, const struct vote *vote, size_t missing);
	/* Who there is, with ourselves; for the call only. */
	void (*live)(void *data, const char *const *names, size_t count);
};

struct polls {
	struct clerk *clerk; /* NULL: there is none yet */
	const char *name;    /* this monitor's; the council's */
	const struct polls_events *events;
	void *data;
};

/* Asks all what they see of the node; 0: not any more. */
void polls_ask(const struct polls *polls, const char *node, unsigned long number);

/* Tells who has asked what we see; VOTE_OPEN: nothing any more. */
void polls_see(const struct polls *polls, const char *node, unsigned long number, const struct vote *vote, size_t missing);

/* What the clerk has heard: a MISSIVE_NEWS, and the entries of the monitors. */
void polls_take_news(const struct polls *polls, const struct missive *missive);
void polls_take_live(const struct polls *polls, const json_t *monitors);
