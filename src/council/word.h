/*
 * What passes between the monitor's thread (council.h) and the clerk's (clerk.h): words, each owned by who receives it.
 */
#pragma once

#include "council/commit.h"
#include "council/estate.h"

enum word_kind {
	/* The council to the clerk: */
	WORD_COMMIT, /* write this */
	WORD_SAY,    /* our entry among the monitors says `text` from now on */
	WORD_REREAD, /* read the state once more when all that waits is written: WORD_ESTATE follows */
	WORD_RESIGN, /* hand the term back when all that waits is written */
	WORD_END,    /* the same, and end the thread */
	/* The clerk to the council: */
	WORD_TERM,      /* a term has begun: `estate` */
	WORD_ESTATE,    /* the state as it was committed, for WORD_REREAD: `estate` */
	WORD_TERM_OVER, /* it is over: `text` says why */
	WORD_COMMITTED, /* all up to `number` stands */
	WORD_STUCK,     /* etcd takes nothing just now: `text` says why; NULL: it does again */
	WORD_LED,       /* another monitor acts: `text` is its value at `lead`; NULL: nobody is known to */
	WORD_TAKEN,     /* our name is another process's: `text` is its entry */
	WORD_IN,        /* our entry stands */
	WORD_MONITORS,  /* the entries of all monitors: `text`, a JSON list */
};

struct word {
	enum word_kind kind;
	unsigned long number;
	char *text;
	struct commit *commit;
	struct estate *estate;
};

struct word *word_new(enum word_kind kind);

/* NULL allowed; clears the pointer. */
void word_free(struct word **word);
