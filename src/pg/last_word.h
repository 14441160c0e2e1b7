/*
 * What a server said last of its going and coming (cluster-rules.md, P2): a word holds until
 * the server answers, or says why else it lets nobody in. Zero-initialised: nothing. Pure.
 */
#pragma once

#include <stdbool.h>

#include "pg/evidence.h"

struct word {
	bool going; /* that it is going or coming, since its last answer */
	bool stops; /* that it is going, and no other word since */
};

/* The server answers: what it said before is over. */
void word_answered(struct word *word);

/* A connection to it stands: it does not stop. */
void word_connected(struct word *word);

/* A connection that stood has ended. */
void word_broke(struct word *word, const struct evidence *evidence);

/*
 * A connect has failed, `kept`: beside a connection that stands. Returns the evidence with the
 * class that a 57P03 in another language does not tell: a server that was at work until
 * now stops, any other starts.
 */
struct evidence word_refused(struct word *word, const struct evidence *evidence, bool kept);
