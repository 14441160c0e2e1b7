/*
 * From observations to verdicts (cluster-rules.md, "From observation to
 * verdict", P1-P8) and from rows to lag ("Sync"). Pure.
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

/* Forgets an observation that was not judged (the monitor was blind, P4). */
void node_forget(struct node *node);

/* The verdict on node->seen. */
enum verdict node_verdict(const struct fleet *fleet, const struct node *node,
			  const struct moment *now);

/* Whether a slave or sitting master has failed without being down yet. */
bool node_is_failing(const struct node *node);

/*
 * Why P1 holds the node, and in which words (the node's, until it is observed again): it lets nobody
 * in, or its beats are refused, for a reason in `hold_on`, and its kept connection stands or has not
 * been gone for long. REASON_NONE: P1 does not hold it.
 */
enum reason node_is_held(const struct fleet *fleet, const struct node *node,
			 const struct moment *now, const char **message);

/*
 * Which rule keeps a failing node in its place, the one that does so the longest: P1,
 * P2, P5, P6, P7, P8 until `*ends_ms` (steady; INT64_MAX: as long as the kept connection answers, as the
 * monitor is isolated, or as other monitors see it), or
 * P3, for whose end further attempts must fail (INT64_MIN). RULE_NONE: none does any more.
 */
enum rule node_kept_by(const struct fleet *fleet, const struct node *node,
		       const struct moment *now, int64_t *ends_ms);

/*
 * Whether a failure of a slave or sitting master that comes now would count at once, or does not but for others that
 * see it (P6, P8): they are to be asked. `reason`: of that failure.
 */
bool node_would_fall(const struct fleet *fleet, const struct node *node, enum reason reason,
		     const struct moment *now);

/* The same of a failure of the way to the sitting master, whose slaves are to be asked (P6). */
bool node_wants_opinion(const struct fleet *fleet, const struct node *node, enum reason reason,
			const struct moment *now);

/*
 * For a failing node: the steady time at which another failed look would count
 * because its hold (P1), its grace (P2) or its patience with a locked beat (P5) ends; INT64_MAX
 * while only further attempts (P3), its slaves (P6) or other monitors (P6, P8) can decide, or when it is not failing.
 */
int64_t node_grace_ends(const struct fleet *fleet, const struct node *node);

/*
 * Whether the place of `node` hangs on its next answers: it is a slave or sitting master, and neither held (P1)
 * nor kept by a lock (P5), whose end opens a round by itself.
 */
bool node_is_at_stake(const struct fleet *fleet, const struct node *node, const struct moment *now);

/* How long to leave it alone after what it said, in ms: who is at stake is asked every retry_interval. */
int64_t node_pause_length(const struct fleet *fleet, const struct node *node,
			  const struct pause *pause, const struct moment *now);

/* Whether the sitting master answers, for M4 and M6: not failing, or under P5, or under P1 with its kept connection. */
bool holder_answers(const struct fleet *fleet, const struct node *holder, const struct moment *now);
