/*
 * Missives: the messages between the monitor's thread (council.h) and the clerk's (clerk.h). The receiver owns each.
 */
#pragma once

#include "core/silences.h"
#include "council/commit.h"
#include "council/estate.h"

enum missive_kind {
	/* From the council to the clerk: */
	MISSIVE_COMMIT, /* write `commit` */
	MISSIVE_SAY,    /* make `text` our entry among the monitors */
	MISSIVE_REREAD, /* read the state once more when all commits are written; MISSIVE_ESTATE follows */
	MISSIVE_SEED,   /* accept the store as it is; the next term writes our state there */
	MISSIVE_RESIGN, /* hand the term back when all commits are written */
	MISSIVE_END,    /* do as for MISSIVE_RESIGN, and end the thread */
	MISSIVE_SILENCE, /* set the one of `silences`, or (`flag`) end that of its target; MISSIVE_SILENCED follows */
	MISSIVE_SEED_SILENCES, /* set all `silences` */
	MISSIVE_PUT,    /* write `text` at `key` (below ask/ or see/) with our lease, or (NULL) delete the key */
	/* From the clerk to the council: */
	MISSIVE_TERM,      /* a term of ours has begun, and takes over `estate` */
	MISSIVE_ESTATE,    /* the answer to MISSIVE_REREAD: `estate` is what etcd holds */
	MISSIVE_TERM_OVER, /* our term is over: `text` says why */
	MISSIVE_COMMITTED, /* all commits up to `number` are written */
	MISSIVE_STUCK,     /* etcd cannot be asked: `text` says why; NULL: it can be asked again */
	MISSIVE_STRANGE,   /* etcd's store is not the one it was: this monitor does not campaign until MISSIVE_SEED */
	MISSIVE_LED,       /* another monitor acts: `text` is the value of `lead`; NULL: none is known to act */
	MISSIVE_TAKEN,     /* another process has our name: `text` is its entry */
	MISSIVE_IN,        /* our entry among the monitors is written */
	MISSIVE_MONITORS,  /* `text` is a JSON list of the entries of all monitors */
	MISSIVE_SILENCES,  /* `silences` are all that etcd holds */
	MISSIVE_SILENCED,  /* request `number` is done, as MISSIVE_SILENCES has told; or `text` says why it failed */
	MISSIVE_NEWS,      /* `key`, below ask/ or see/, now holds `text`; NULL: it was deleted */
};

struct missive {
	enum missive_kind kind;
	unsigned long number;
	char *text;
	char *key; /* without the prefix */
	struct commit *commit;
	struct estate *estate;
	struct silences silences;
	bool flag;
};

struct missive *missive_new(enum missive_kind kind);

/* NULL allowed; clears the pointer. */
void missive_free(struct missive **missive);
