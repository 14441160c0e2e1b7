/*
 * What passes between the monitor's thread (council.h) and the clerk's (clerk.h): words, each owned by who receives it.
 */
#pragma once

#include "core/silences.h"
#include "council/commit.h"
#include "council/estate.h"

enum missive_kind {
	/* The council to the clerk: */
	MISSIVE_COMMIT, /* write this */
	MISSIVE_SAY,    /* our entry among the monitors says `text` from now on */
	MISSIVE_REREAD, /* read the state once more when all that waits is written: MISSIVE_ESTATE follows */
	MISSIVE_SEED,   /* take the store as it is: the next term writes our state there */
	MISSIVE_RESIGN, /* hand the term back when all that waits is written */
	MISSIVE_END,    /* the same, and end the thread */
	MISSIVE_SILENCE, /* have the one of `silences` stand, or (`flag`) that of its target go: MISSIVE_SILENCED follows */
	MISSIVE_SEED_SILENCES, /* have all of them stand */
	MISSIVE_PUT,    /* write `text` at `key`, with our lease, or (NULL) take the key away: of ask/ and see/ */
	/* The clerk to the council: */
	MISSIVE_TERM,      /* a term has begun: `estate` */
	MISSIVE_ESTATE,    /* the state as it was committed, for MISSIVE_REREAD: `estate` */
	MISSIVE_TERM_OVER, /* it is over: `text` says why */
	MISSIVE_COMMITTED, /* all up to `number` stands */
	MISSIVE_STUCK,     /* etcd takes nothing just now: `text` says why; NULL: it does again */
	MISSIVE_STRANGE,   /* etcd's store is not the one it was: nobody here campaigns until MISSIVE_SEED */
	MISSIVE_LED,       /* another monitor acts: `text` is its value at `lead`; NULL: nobody is known to */
	MISSIVE_TAKEN,     /* our name is another process's: `text` is its entry */
	MISSIVE_IN,        /* our entry stands */
	MISSIVE_MONITORS,  /* the entries of all monitors: `text`, a JSON list */
	MISSIVE_SILENCES,  /* all that stand: `silences` */
	MISSIVE_SILENCED,  /* what was asked for by `number` stands, and was said by MISSIVE_SILENCES; `text`: or why not */
	MISSIVE_NEWS,      /* of ask/ and see/: at `key` stands `text`; NULL: nothing any more */
};

struct missive {
	enum missive_kind kind;
	unsigned long number;
	char *text;
	char *key; /* behind the prefix */
	struct commit *commit;
	struct estate *estate;
	struct silences silences;
	bool flag;
};

struct missive *missive_new(enum missive_kind kind);

/* NULL allowed; clears the pointer. */
void missive_free(struct missive **missive);
