/*
 * What people and triggers are told: log lines of changes, and events with their pictures. It takes
 * what others have concluded and concludes nothing. Monitor thread.
 */
#pragma once

#include "base/log.h"
#include "core/board.h"
#include "core/changes.h"

/* What events are made of; the monitor owns it. */
struct teller {
	struct fleet *fleet;
	struct board *board;       /* brought up to date for each event */
	int64_t start_s;           /* wall clock: the first half of an event's id, */
	unsigned long event_count; /* and how many there have been: the second */
};

/* What a log line about the node begins with; points into the node. */
struct log_about tell_node_about(const struct node *node);

/* One line: which node went where, by which rule and why. */
void tell_change(const struct change *change);

/* One line: P1 holds the node in its place from now on. Returns what the event node_held is made of. */
struct change tell_held(struct node *node, enum reason reason, const char *message);

/*
 * One line: the way to the master has failed, and these of its slaves (nodes, the caller's) still hear it (P6).
 * Returns what the event master_unreachable is made of.
 */
struct change tell_unreachable(struct node *node, const struct list *witnesses);

/* One line: a master that was vouched for answers again, or no slave vouches for it any more. */
void tell_reachable(const struct node *node);
void tell_unheard(const struct node *node);

/* One line: most of the other monitors see the failing node (P6, P8; `still`), or do not any more. */
void tell_seen_by_others(const struct node *node, bool still);

/*
 * Before it is judged: the beat of `node` (NULL: nothing) was refused. A slave's loss by that is a
 * change; of a lost or clusterless master it is each new refusal that is news.
 */
void tell_refused(const struct node *node, const struct beat_result *result);
void tell_dropped(int cluster_id);

/* One line: the monitor is isolated (P7), or is not any more. `fires`: an event tells it, too. */
void tell_isolated(const struct fleet *fleet, bool fires);
void tell_reconnected(bool fires);

/*
 * One line: two masters of one origin are found (split_brain). Returns what the event is made of. And later, while
 * they stay that, one for the first of all that do; `further`: how many other pairs there are.
 */
struct change tell_split(struct node *newer, struct node *older);
void tell_split_lasts(const struct node *newer, const struct node *older, size_t further);

/* One line: at the node's address is another server than before, of another system. */
void tell_other_server(const struct node *node);

/*
 * An event with the fleet as it is now; the caller's reference. `cluster` and `change` (what it
 * fired for) may be NULL; `restored`: it is a difference to what the state file held.
 */
struct event *tell_event(struct teller *teller, enum event_kind kind, const struct cluster *cluster,
			 const struct change *change, bool restored, int64_t time_ms);
