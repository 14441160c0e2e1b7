/*
 * A listener is a slave that is asked what it hears of its sitting master (rule P6). When slaves are asked, in
 * looks at all of them, and what follows, is witness.h's to decide. Monitor thread.
 */
#pragma once

#include "core/vouch.h"
#include "monitor/node.h"

/*
 * Asks all slaves of the watch's node what they hear; returns how many. Answers from before `since_ms` (steady) are
 * forgotten.
 */
size_t listeners_ask(const struct watch *master, int64_t since_ms);

/*
 * Counts, at the end of a look, the slaves that vouch for the master, `highest` as in hearer_vouches(). `*is_blind` is
 * set if none of them may say whom it hears.
 */
int listeners_count(const struct watch *master, uint64_t highest, bool *is_blind);

/*
 * Keeps the answers to compare the next look with; `*highest` grows. Returns whether there is any answer to compare
 * with.
 */
bool listeners_settle(const struct watch *master, uint64_t *highest);

/* Adds the slaves that vouched for the master in the last look. */
void listeners_list(const struct watch *master, struct list *witnesses);

/* The slave's look has ended: if it was too busy to be asked, it is asked now. */
void listener_is_free(struct watch *slave);

/*
 * The slave has said what it hears of its master, `master` (NULL: it has none, or no look is under way at that one's
 * slaves). True: that is its answer in the look.
 */
bool listener_heard(struct watch *slave, const struct watch *master, const struct hearing *hearing);

/* Frees what the watch has of it. */
void listener_free(struct watch *watch);
