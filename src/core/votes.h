/*
 * Votes: what the monitors of one fleet, of which one acts, see of a node that this one fails to see, and whether it is
 * lost by that. Pure.
 *
 * A monitor says that the node answers it, that it fails, or that it cannot say: it is isolated itself (P7), or lacks
 * something of its own. Who has said nothing when the time is over cannot say either. Lost is what more than half of those
 * see lost that can say; with `monitors.votes` a number, that many of them, or all of them where they are fewer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "core/names.h"

/* What `monitors.votes` asks for, beside the number of them. */
#define VOTES_MAJORITY 0
#define VOTES_ANY (-1) /* nobody is asked */

enum vote_says {
	VOTE_OPEN, /* nothing yet */
	VOTE_ANSWERS,
	VOTE_FAILS,
	VOTE_CANNOT,
	VOTE_SAYS
};

struct vote {
	char *monitor; /* its name */
	enum vote_says says;
	enum reason reason; /* VOTE_FAILS: how */
};

struct votes {
	struct vote *items;
	size_t count;
};

enum votes_verdict {
	VOTES_OPEN, /* who has not said anything yet decides */
	VOTES_LOST,
	VOTES_SEEN
};

struct votes *votes_new(void);

/* NULL: of nothing, NULL. */
struct votes *votes_copy(const struct votes *votes);

/* NULL allowed; clears the pointer. */
void votes_free(struct votes **votes);

/* One more, who may vote; the name is copied. */
void votes_add(struct votes *votes, const char *monitor, enum vote_says says, enum reason reason);

/* What that monitor says now; false: it may not vote. */
bool votes_take(struct votes *votes, const char *monitor, enum vote_says says, enum reason reason);

/* How many say that. */
size_t votes_count(const struct votes *votes, enum vote_says says);

/* What it comes to; `is_over`: nobody is waited for any more, and it is never VOTES_OPEN. */
enum votes_verdict votes_judge(const struct votes *votes, int need, bool is_over);

/* [{"monitor": "a", "sees": "fails", "reason": "hung"}, ...]; NULL: [] */
void votes_render(const struct votes *votes, struct json *json);

/* "open", "answers", "fails", "cannot say"; VOTE_SAYS: there is no such word. */
const char *vote_says_name(enum vote_says says);
enum vote_says vote_says_parse(const char *name);
