/*
 * The last word of a server is what it said last of its own stop or start (57P01, 57P02, 57P03; cluster-rules.md, P2).
 * It holds until the server answers, or refuses a connect for another reason. Zero-initialised: none. Pure.
 */
#pragma once

#include <stdbool.h>

#include "pg/evidence.h"

struct word {
	bool going; /* it has said that it stops or starts, and has not answered since */
	bool stops; /* what it said last was that it stops */
};

/* The server answers: what it said before holds no longer. */
void word_answered(struct word *word);

/* A connect has succeeded: the server does not stop. */
void word_connected(struct word *word);

/* A connection has broken. */
void word_broke(struct word *word, const struct evidence *evidence);

/*
 * A connect has failed; `kept`: while the node has a kept connection. Returns the evidence with
 * the class that a 57P03 in another language does not tell: a server that was at work until
 * now stops, any other starts.
 */
struct evidence word_refused(struct word *word, const struct evidence *evidence, bool kept);
