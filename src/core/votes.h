/*
 * Votes: what all monitors of one fleet say of a node that this monitor, which acts, fails to see; and whether the node
 * is lost by that. Pure.
 *
 * A monitor says that the node answers, that it fails, or that it cannot say, because it is isolated itself (P7) or
 * has a fault of its own. A monitor that has said nothing in time counts as one that cannot say. The node is lost if it
 * fails for more than half of those that can say. If `monitors.votes` is a number, it is lost if it fails for so
 * many, or for all that can say where these are fewer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "core/names.h"

/* Values of `monitors.votes` that are no number of monitors. */
#define VOTES_MAJORITY 0
#define VOTES_ANY (-1) /* the monitor that acts decides alone and asks no other */

enum vote_says {
	VOTE_OPEN, /* it has said nothing yet */
	VOTE_ANSWERS,
	VOTE_FAILS,
	VOTE_CANNOT,
	VOTE_SAYS
};

struct vote {
	char *monitor; /* its name */
	enum vote_says says;
	enum reason reason; /* of VOTE_FAILS: why the node fails */
};

struct votes {
	struct vote *items;
	size_t count;
};

enum votes_verdict {
	VOTES_OPEN, /* monitors that have said nothing yet can still decide it */
	VOTES_LOST,
	VOTES_SEEN
};

struct votes *votes_new(void);

/* Makes a copy, which the caller frees; NULL of NULL. */
struct votes *votes_copy(const struct votes *votes);

/* NULL allowed; clears the pointer. */
void votes_free(struct votes **votes);

/* Adds a monitor that may vote; its name is copied. */
void votes_add(struct votes *votes, const char *monitor, enum vote_says says, enum reason reason);

/* Takes in what that monitor says now; false: it may not vote. */
bool votes_take(struct votes *votes, const char *monitor, enum vote_says says, enum reason reason);

/* Returns how many monitors say that. */
size_t votes_count(const struct votes *votes, enum vote_says says);

/* Returns the result. `need` is `monitors.votes`; with `is_over` nobody is waited for, so it is never VOTES_OPEN. */
enum votes_verdict votes_judge(const struct votes *votes, int need, bool is_over);

/* Writes [{"monitor": "a", "sees": "fails", "reason": "hung"}, ...]; NULL: []. */
void votes_render(const struct votes *votes, struct json *json);

/* "open", "answers", "fails", "cannot say"; vote_says_parse() returns VOTE_SAYS for any other text. */
const char *vote_says_name(enum vote_says says);
enum vote_says vote_says_parse(const char *name);
