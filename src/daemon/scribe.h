/*
 * The scribe writes, where there are several monitors, what the one that acts commits to etcd (council_commit()): what
 * has changed of the fleet's state, events with what has become of their runs, and pm.state.
 *
 * A run's changes of pm.state are committed with the run's end, and a term begins with what was committed. So a run
 * that was cut short, and runs again under the next monitor, sees pm.state without its own first changes, unless
 * another run that has ended has assigned the same name since. Monitor's loop.
 */
#pragma once

#include "core/unsaved.h"
#include "council/council.h"
#include "daemon/duty.h"
#include "monitor/monitor.h"
#include "script/shared.h"

/* The owner sets the members before `meta`; the others begin as zero. Ended by scribe_end(). */
struct scribe {
	struct council *council;
	const struct clock *clock;
	struct shared *shared;   /* has pm.state */
	struct monitor *monitor; /* NULL: the daemon ends */
	struct unsaved *unsaved; /* what of the state is not committed yet; the scribe's */
	char *meta;              /* the fleet's counts in the last commit; NULL: there was none */
	unsigned long commits;   /* the number of the last one made */
	bool holds;              /* commits are held until scribe_release() */
	struct list held;        /* struct commit * */
	bool missed; /* changes of pm.state were dropped while etcd was away for long; all of it is written afterwards */
};

/*
 * Makes a commit with the parts of the state that have changed, for the caller to send. Where they are many, the first
 * ones go out in commits before it.
 */
struct commit *scribe_begin(struct scribe *scribe);

/* Adds the duty's event and what has become of its runs. */
void scribe_add_record(struct commit *commit, const struct duty *duty);

/* Adds that the event is deleted that this new one makes too old to be kept. */
void scribe_drop_old(struct commit *commit, unsigned long number);

void scribe_send(struct scribe *scribe, struct commit *commit);

/* Commits that are sent until scribe_release() go out there: after the one that is being made, which comes first. */
void scribe_hold(struct scribe *scribe);
void scribe_release(struct scribe *scribe);

/*
 * Commits the duty's event and what has become of its runs, with the changes of pm.state by runs that have ended.
 * Returns the commit's number.
 */
unsigned long scribe_commit_runs(struct scribe *scribe, const struct duty *duty);

/* Commits the changes of pm.state by runs that have ended; the caller knows that there are some. */
void scribe_commit_values(struct scribe *scribe);

/*
 * Commits all of pm.state, to a store that may hold something else: `stored` (struct assignment *) is that, and what
 * pm.state does not have is deleted. Names that runs under way have changed are left as they are in the store, since
 * these changes are committed with their runs' ends.
 */
void scribe_commit_all_values(struct scribe *scribe, const struct list *stored);

/*
 * Drops the changes of pm.state by runs that have ended. The shift calls this while etcd is away for long, and commits
 * all of pm.state when that is over.
 */
void scribe_drop_values(struct scribe *scribe);

void scribe_end(struct scribe *scribe);
