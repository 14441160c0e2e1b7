/*
 * The state of the fleet: nodes, clusters, who sits where. Pure data with the
 * few functions that keep it whole; what to conclude is in rules.h and round.h.
 * The monitor thread owns it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/config.h"
#include "core/history.h"
#include "core/kin.h"
#include "core/meters.h"
#include "core/naming.h"
#include "core/shown.h"
#include "core/votes.h"

#define NODE_ALIASES 4 /* other monitors' names for a master; the oldest gives way */

enum place { PLACE_CLUSTERLESS, PLACE_MASTER, PLACE_SLAVE, PLACE_LOST };

/* A run of attempts that failed; attempts 0: none, the node's last answer was an answer. */
struct failure {
	int attempts;
	int64_t since_ms; /* steady, the first of them */
	int64_t silent_ms; /* steady, the first in a row in which nothing answered: P2 counts from there */
	bool going;       /* a word of going or coming since the last answer (P2) */
	bool beat_locked; /* the last attempt failed by a lock on the beat alone (P5) */
	int64_t locked_ms; /* steady, the first that did; INT64_MIN: none */
	int fresh;        /* the shut door's `attempts` when one of them was last counted */
	bool answered;    /* the last attempt was answered, only its beat failed */
	bool may_hold;    /* its class is in hold_on (P1): */
	bool kept;        /* the kept connection stands */
	int64_t vouched_ms; /* steady: until when its slaves vouch for it (P6, vouch.h); 0: none does */
	int witnesses;      /* how many do */
	bool vouch_told;    /* master_unreachable was told */
	bool others_see;    /* most of the other monitors see it (P6, P8) */
	enum reason reason; /* its words are in node->shown */
};

struct fleet;
struct node_view;

#define SHOWN_CLUSTERLESS (-1)
#define SHOWN_NOWHERE (-2)

struct node {
	/* What the rules touch. */
	const struct config_node *config; /* the configuration's */
	struct fleet *fleet;              /* whose node it is */
	size_t order;                     /* configured order: it is fleet->nodes[order] */
	struct cluster *cluster;          /* NULL: clusterless */
	enum place place;                 /* changed by fleet_move() alone */
	bool known;    /* it has answered once */
	bool is_slave; /* by its last answer */
	bool kept;     /* its kept connection stands */
	bool hold_told; /* node_held was told, and its end was not, */
	enum place held_in; /* in this place */
	unsigned long touched; /* it is in fleet->touched_nodes if that is fleet->touches */
	bool in_time;  /* a master whose first attempt, made at the start, was answered in time but late: "Start" */
	enum reason door;  /* it answers, but lets nobody in, and hold_on holds it (P1); REASON_NONE: it does */
	struct failure failure;
	bool has_shown; /* the last good row that counts in its cluster: */
	int64_t shown_tstamp;
	int64_t judged_lag_ms; /* its lag when the last round of its cluster ended; 0: also unknown, */
	int64_t lag_bar_ms;    /* and what is left of all before: lag_bar() of lag.h */
	/* Also of plusmoin's run before (state_file), steady; INT64_MIN: never. */
	int64_t stood_ms; /* when its kept connection was last known to stand (P1) */
	int64_t went_ms;  /* of that run alone: since when nothing answered, after a word of going (P2) */
	int reserved_id;  /* a cluster id tried for a beat, -1: none */
	unsigned long tried_in;   /* the number of the round that tried it as a candidate last, */
	unsigned long refused_in; /* and of the one in which M5 made it lost */
	struct sight seen; /* not yet judged; OBSERVED_NOTHING: nothing new */
	struct kin kin;    /* which server it is, by its own words */
	/* What is only shown, or rarely asked for. */
	enum reason reason; /* why it is lost, while it answers */
	int server_version;
	int64_t since_ms; /* wall: its last change of place */
	enum rule placed_by; /* the rule that put it into its place; RULE_NONE: none has (it begins there) */
	enum rule ruled;     /* the rule that spoke last for it, also to let it stay */
	int64_t ruled_ms;    /* wall: since when it is that rule */
	char *aliases[NODE_ALIASES]; /* NULL: none; changed by fleet_give_alias() and fleet_take_alias() */
	size_t alias_next;
	char master_name[NAME_BYTES];
	struct votes *votes; /* what the monitors have said of its failing; NULL: they were not asked */
	struct shown *shown;
	struct node_meter *meter;
	/* The board's (board.h): */
	struct node_view *view; /* as it was shown last; NULL: never */
	int shown_in;           /* the cluster in whose picture it is, SHOWN_CLUSTERLESS or SHOWN_NOWHERE */
};

/* Who sat in a seat earlier, and the last beat written through it then. */
struct holder {
	char *name;
	int64_t last_tstamp;
};

struct cluster {
	int id;
	bool starting;         /* waits for its slaves at the monitor's start: */
	struct list awaited;   /* nodes whose row names its master, as awaited_look() found last */
	bool start_ends;       /* as it found: a node of it went down */
	struct node *seat;     /* NULL: empty */
	struct node *sat_last; /* while the seat is empty; NULL once it is no member any more */
	struct list members;   /* of nodes, in configured order, the seat's included */
	struct history beats;
	struct holder *holders;
	size_t holder_count;
	bool touched; /* in fleet->touched */
	bool emptied; /* in fleet->emptied */
	struct cluster_meter *meter;
	void *rounds; /* who keeps its rounds (monitor/clusters.h); the core does not look at it */
};

struct fleet {
	struct config *config; /* a reference of its own */
	struct node **nodes;   /* in configured order */
	size_t node_count;
	struct naming names;     /* ids and aliases */
	struct naming servers;   /* who is which server (kin.h), */
	struct naming masters;   /* and of which origin */
	struct list disputes;    /* struct dispute * (dispute.h), the latest last, */
	unsigned long dispute_count; /* and another number after each that begins or ends */
	struct list wanted;      /* nodes that are to be asked anew for that (kin.is_wanted) */
	struct list clusterless; /* nodes, in configured order */
	struct list clusters;    /* by id */
	int next_id;
	int64_t cut_off_ms;      /* steady: since when the monitor is isolated (P7, cut_off.h); INT64_MIN: it is not */
	int64_t cut_off_wall_ms; /* the same by the wall clock, for people */
	unsigned long rounds;    /* how many have begun: each has its number */
	/* For who keeps a picture of the fleet (board.h): what may differ from the last one. */
	struct list touched;     /* clusters in which any node may differ, */
	bool touched_clusterless; /* the same of the clusterless nodes, */
	struct list touched_nodes; /* and single nodes that may differ, or stand elsewhere */
	unsigned long touches;   /* how often the picture was brought up to date */
	struct list dropped;     /* ids of clusters, as (void *)(intptr_t) */
	struct list emptied;     /* clusters whose last member has left, perhaps with others since */
};

/* A fleet of clusterless nodes that nothing is known of; takes a reference of `config`. */
struct fleet *fleet_new(struct config *config, const struct moment *now);

/* NULL allowed; clears the pointer. */
void fleet_free(struct fleet **fleet);

/*
 * Goes over to another configuration (contract.md, "Reload"). Nodes of the same id
 * keep their place and state; new ones are clusterless; the others leave, also a
 * seat, without any change being told, and are given to `removed` (the caller
 * ends each by node_free(), once every unfinished round has been told by round_forget(), and kin_reload()).
 */
void fleet_reload(struct fleet *fleet, struct config *config, const struct moment *now,
		  struct list *removed);

/* A node that has left the fleet. NULL allowed; clears the pointer. */
void node_free(struct node **node);

/* The cluster of that id, or NULL. */
struct cluster *fleet_find_cluster(const struct fleet *fleet, int id);

/* A new cluster with this id, no members; the fleet owns it. */
struct cluster *fleet_add_cluster(struct fleet *fleet, int id);

/* Removes a cluster that has no members. */
void fleet_drop_cluster(struct fleet *fleet, struct cluster *cluster);

/*
 * Puts a node in its place: the one function that changes it. A node that
 * leaves a seat leaves a holder's record; PLACE_MASTER needs an empty seat;
 * `cluster` is NULL for PLACE_CLUSTERLESS.
 */
void fleet_move(struct node *node, struct cluster *cluster, enum place place,
		const struct moment *now);

/*
 * What is shown of any node of the cluster (NULL: of the clusterless nodes) may have changed, also which those are;
 * or of one node. To find what has changed costs the nodes of what was named.
 */
void fleet_touch(struct fleet *fleet, struct cluster *cluster);
void node_touch(struct node *node);

/* All that was touched is shown now. */
void fleet_untouch(struct fleet *fleet);

/* In the seat or a slave: not lost, not clusterless. */
bool node_is_in_place(const struct node *node);

/* Why the node is where it is, and in which words; REASON_NONE and "": for no reason. */
void node_give_reason(struct node *node, enum reason reason, const char *message);

/* Notes that a rule spoke for the node. */
void fleet_note_rule(struct node *node, enum rule rule, const struct moment *now);

/* Who sits in the seat; while it is empty, who sat there last and is still a member; or NULL. */
struct node *cluster_master(const struct cluster *cluster);

/* The holder's record of an earlier holder of this seat, or NULL. */
const struct holder *cluster_holder(const struct cluster *cluster, const struct node *node);

/* The id for a cluster that `node` may found: kept for its next attempt until it is used. */
int fleet_reserve_id(struct fleet *fleet, struct node *node);

/* The reserved id was used (a cluster was founded with it) or is given back. */
void fleet_settle_id(struct fleet *fleet, struct node *node, bool used);

/* The beat that the sitting master (or a candidate) of `cluster` is to be sent now. */
struct beat_order fleet_beat_order(const struct cluster *cluster, const struct node *node,
				   const struct moment *now);

/* "clusterless", "master", "slave", "lost". */
const char *place_name(enum place place);
