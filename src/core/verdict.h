/*
 * From observations to verdicts (cluster-rules.md, "From observation to
 * verdict", P1-P8). A verdict is what the rules take a node for. Pure.
 */
#pragma once

#include <stdbool.h>

#include "core/fleet.h"
#include "core/lag.h"
#include "core/pause.h"

enum verdict {
	VERDICT_NONE, /* nothing new was seen: the node keeps its place */
	VERDICT_MASTER,
	VERDICT_SLAVE,
	VERDICT_FAILING, /* a failure that does not count yet */
	VERDICT_DOWN
};

/*
 * Takes in what was seen of `node`: its words for people, its run of failures
 * and, for a sitting master, its written beat. The observation waits in
 * node->seen for the round that judges it.
 */
void node_observe(const struct fleet *fleet, struct node *node, const struct observation *seen,
		  const struct moment *now);

/* Forgets an observation that was not judged, because the monitor itself was stalled (P4), or that has been. */
void node_forget(struct node *node);

/* Returns the verdict on node->seen. */
enum verdict node_verdict(const struct fleet *fleet, const struct node *node,
			  const struct moment *now);

/* Whether a slave or sitting master has failed without being down yet. */
bool node_is_failing(const struct node *node);

/*
 * Returns why P1 holds the node, and sets `message` to the words, which the node owns until it is observed again. P1
 * holds it if it refuses new connections or beats for a reason in `hold_on`, and its kept connection stands or stood
 * less than max_sync_delay ago. REASON_NONE: P1 does not hold it.
 */
enum reason node_is_held(const struct fleet *fleet, const struct node *node,
			 const struct moment *now, const char **message);

/*
 * Returns the rule that keeps a failing node in its place the longest. P1, P2, P5, P6, P7 and P8 do so until
 * `*ends_ms` (steady; INT64_MAX: while the kept connection answers, while the monitor is isolated, or while other
 * monitors see it); P3 does so until further attempts have failed, and sets INT64_MIN. RULE_NONE: no rule does.
 */
enum rule node_kept_by(const struct fleet *fleet, const struct node *node,
		       const struct moment *now, int64_t *ends_ms);

/*
 * Whether a failure of a slave or sitting master, if it came now for `reason`, would count at once, or would count if
 * no slaves or other monitors saw the node (P6, P8). Then the caller has to ask those.
 */
bool node_would_fall(const struct fleet *fleet, const struct node *node, enum reason reason,
		     const struct moment *now);

/* The same for the sitting master, when the way to it has failed: whether its slaves have to be asked (P6). */
bool node_wants_opinion(const struct fleet *fleet, const struct node *node, enum reason reason,
			const struct moment *now);

/*
 * Returns when (steady) another failed look at a failing node would count because P1, P2, P5 or P7 ends;
 * INT64_MAX while only further attempts (P3), its slaves (P6) or other monitors (P6, P8) can decide, or when it is not
 * failing.
 */
int64_t node_grace_ends(const struct fleet *fleet, const struct node *node);

/*
 * Whether the next answers decide if the node keeps its place: it is a slave or sitting master, and neither P1 nor P5
 * keeps it there. (When one of these ends, a round is opened anyway.)
 */
bool node_is_at_stake(const struct fleet *fleet, const struct node *node, const struct moment *now);

/* Returns how long to leave a node alone that refuses us, in ms: retry_interval if it is at stake, else by pause.h. */
int64_t node_pause_length(const struct fleet *fleet, const struct node *node,
			  const struct pause *pause, const struct moment *now);

/* Whether M4 and M6 take the sitting master for one that answers: it does not fail, or P5 or P1 (kept) holds it. */
bool holder_answers(const struct fleet *fleet, const struct node *holder, const struct moment *now);
