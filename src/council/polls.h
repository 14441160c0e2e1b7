/*
 * The polls are the monitor's side of what monitors ask and tell each other of nodes that fail. They hand the clerk
 * our questions and votes as keys and texts (slip.h), and tell the owner those of the others. The council owns it.
 * Monitor's loop.
 */
#pragma once

#include <jansson.h>

#include "core/votes.h"
#include "council/clerk.h"

/* Called on the loop, never from inside a call of the owner's. */
struct polls_events {
	/* The monitor that acts asks what we see of the node; `number` 0: it has withdrawn its question. */
	void (*asked)(void *data, const char *node, unsigned long number);
	/* Another monitor answers that question: its vote on the node, and how many nodes it does not see in all. */
	void (*told)(void *data, const char *node, unsigned long number, const struct vote *vote, size_t missing);
	/* The names of all monitors there are, ours among them; valid for the call only. */
	void (*live)(void *data, const char *const *names, size_t count);
};

struct polls {
	struct clerk *clerk; /* NULL: there is none yet */
	const char *name;    /* this monitor's; the council's */
	const struct polls_events *events;
	void *data;
};

/* Asks all other monitors what they see of the node; `number` 0: withdraws the question. */
void polls_ask(const struct polls *polls, const char *node, unsigned long number);

/* Answers a question with our vote, and how many nodes we do not see in all; a VOTE_OPEN withdraws the answer. */
void polls_see(const struct polls *polls, const char *node, unsigned long number, const struct vote *vote, size_t missing);

/* Take from the clerk a MISSIVE_NEWS, and the entries of all monitors. */
void polls_take_news(const struct polls *polls, const struct missive *missive);
void polls_take_live(const struct polls *polls, const json_t *monitors);
