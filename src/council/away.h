/* Why etcd cannot be asked just now, by those who ask: one sentence for people, told when it begins and when it ends. */
#pragma once

#include <stdbool.h>

enum away_side {
	AWAY_LEDGER, /* no commit is taken */
	AWAY_LEASE,  /* the lease is not renewed */
	AWAY_STORE,  /* it is not the store that it was */
	AWAY_SIDES
};

/* Zero-initialised: it can be asked. Ended by away_free(). */
struct away {
	char *words[AWAY_SIDES]; /* NULL: that side gets its answers */
	bool told;
};

/* True: that it cannot be asked, or can again, is to be told: away_words(). `words` NULL: this side gets its answers. */
bool away_take(struct away *away, enum away_side side, const char *words);

/* NULL: it can be asked. Until the next change. */
const char *away_words(const struct away *away);
void away_free(struct away *away);
