/*
 * What people and triggers are told: log lines of changes (one line a call), and events with their pictures.
 * It takes what others have concluded and concludes nothing. Monitor thread.
 */
#pragma once

#include "base/log.h"
#include "core/board.h"
#include "core/changes.h"

/* What events are made of; the monitor owns it. */
struct teller {
	struct fleet *fleet;
	struct board *board;       /* brought up to date for each event */
	int64_t start_s;           /* wall clock: when the run began; the first half of an event's id */
	unsigned long event_count; /* how many events there have been; the second half of an event's id */
};

/* What a log line about the node begins with; points into the node. */
struct log_about tell_node_about(const struct node *node);

/* Logs which node went where, by which rule and why. */
void tell_change(const struct change *change);

/* Logs that P1 holds the node in its place from now on. Returns what the event node_held is made of. */
struct change tell_held(struct node *node, enum reason reason, const char *message);

/*
 * Logs that the way to the master has failed, and that these of its slaves (nodes, the caller's) still hear it (P6).
 * Returns what the event master_unreachable is made of.
 */
struct change tell_unreachable(struct node *node, const struct list *witnesses);

/* Logs that a master that was vouched for answers again, or that no slave vouches for it any more. */
void tell_reachable(const struct node *node);
void tell_unheard(const struct node *node);

/* Logs that most of the other monitors see the failing node (P6, P8; `still`), or do not any more. */
void tell_seen_by_others(const struct node *node, bool still);

/*
 * Logs that the beat of `node` (NULL: of none, nothing is logged) was refused, before that is judged. A slave's
 * is not logged here, but its loss as a change; of a lost or clusterless master each new refusal is.
 */
void tell_refused(const struct node *node, const struct beat_result *result);
void tell_dropped(int cluster_id);

/* Logs that the monitor is isolated (P7), or is not any more. `fires`: an event tells it, too. */
void tell_isolated(const struct fleet *fleet, bool fires);
void tell_reconnected(bool fires);

/*
 * Logs that two masters of one origin were found (split_brain), and returns what the event is made of.
 * tell_split_lasts() logs later that they are still that, and `further` other pairs, too.
 */
struct change tell_split(struct node *newer, struct node *older);
void tell_split_lasts(const struct node *newer, const struct node *older, size_t further);

/* Logs that another server than before answers for the node, with another system identifier. */
void tell_other_server(const struct node *node);

/*
 * An event with the fleet as it is now; the caller's reference. `cluster` and `change` (what it
 * fired for) may be NULL; `restored`: it is a difference to what the state file held.
 */
struct event *tell_event(struct teller *teller, enum event_kind kind, const struct cluster *cluster,
			 const struct change *change, bool restored, int64_t time_ms);
