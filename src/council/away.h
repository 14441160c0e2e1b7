/*
 * Why etcd cannot be asked just now. Each side that asks etcd says whether it gets its answers; the words of one that
 * gets none are told to people when that begins, and when it ends.
 */
#pragma once

#include <stdbool.h>

enum away_side {
	AWAY_LEDGER, /* etcd takes no commit */
	AWAY_LEASE,  /* etcd does not renew the lease */
	AWAY_STORE,  /* etcd's store is not the one it was */
	AWAY_SIDES
};

/* Zero-initialised: etcd can be asked. Ended by away_free(). */
struct away {
	char *words[AWAY_SIDES]; /* NULL: that side gets its answers */
	bool told;                /* the caller was last asked to tell that etcd cannot be asked */
};

/*
 * One side says why it gets no answers; `words` NULL: it gets them. True: the caller has to tell away_words(), as etcd
 * cannot be asked any more, or can be asked again.
 */
bool away_take(struct away *away, enum away_side side, const char *words);

/* Why etcd cannot be asked; NULL: it can. Valid until the next away_take(). */
const char *away_words(const struct away *away);
void away_free(struct away *away);
