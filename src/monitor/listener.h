/*
 * What the slaves of a sitting master say of it when they are asked (rule P6): each slave's part. Who asks
 * them, and what follows, is witness.h. Monitor thread.
 */
#pragma once

#include "core/vouch.h"
#include "monitor/node.h"

/* Asks all slaves of the watch's node what they hear: how many. What was said before `since_ms` (steady) is not compared with. */
size_t listeners_ask(const struct watch *master, int64_t since_ms);

/*
 * The look is over: how many vouch for the master, `highest` as in hearer_vouches(). `*is_blind`: none of them may say
 * whom it hears.
 */
int listeners_count(const struct watch *master, uint64_t highest, bool *is_blind);

/* Then the next one is compared with it; `*highest` grows. Whether anybody has said something to compare with. */
bool listeners_settle(const struct watch *master, uint64_t *highest);

/* The slaves that vouched for the master in the last look are added. */
void listeners_list(const struct watch *master, struct list *witnesses);

/* The slave's look has ended: if it was too busy to be asked, it is asked now. */
void listener_is_free(struct watch *slave);

/*
 * It has said what it hears of its master, `master` (NULL: it has none, or that one's look is not under way). True: that
 * is its answer in the look.
 */
bool listener_heard(struct watch *slave, const struct watch *master, const struct hearing *hearing);

/* The watch ends. */
void listener_free(struct watch *watch);
