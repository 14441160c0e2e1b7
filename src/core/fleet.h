/*
 * The state of the fleet: nodes and clusters. A cluster has one seat, in which its master sits; the seat is
 * empty while the cluster has no master. Pure data with the few functions that keep it whole; what to
 * conclude is in rules.h and round.h. The monitor thread owns it.
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

#define NODE_ALIASES 4 /* how many aliases (aliases.h) a node has at most */

enum place { PLACE_CLUSTERLESS, PLACE_MASTER, PLACE_SLAVE, PLACE_LOST };

/* The attempts that have failed in a row; `attempts` is 0 after one that succeeded. */
struct failure {
	int attempts;
	int64_t since_ms; /* steady, when the first of them failed */
	int64_t silent_ms; /* steady, since when the server has not answered at all; P2 counts from there */
	bool going;       /* since its last answer the server has said that it stops or starts (P2) */
	bool beat_locked; /* the last attempt failed only because a lock kept the beat from being written (P5) */
	int64_t locked_ms; /* steady, when the first such attempt failed; INT64_MIN: none has */
	int fresh;        /* shut_door.attempts when a failed fresh connection was last counted as an attempt */
	bool answered;    /* the server answered at the last attempt, but its beat or a fresh connection failed */
	bool may_hold;    /* hold_on has the reason of the last attempt (P1) */
	bool kept;        /* the kept connection stood at the last attempt */
	int64_t vouched_ms; /* steady, until when its slaves vouch for it (P6, vouch.h); 0: none does */
	int witnesses;      /* how many slaves vouch for it */
	bool vouch_told;    /* master_unreachable has fired */
	bool others_see;    /* most of the other monitors see it (P6, P8) */
	enum reason reason; /* of the last attempt; the words are in node->shown */
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
	bool hold_told; /* node_held has fired, and the hold has not ended yet */
	enum place held_in; /* its place when node_held fired */
	unsigned long touched; /* it is in fleet->touched_nodes if this equals fleet->touches */
	bool in_time;  /* its first attempt at the start was answered within query_timeout, but too late to found */
	enum reason door;  /* why fresh connections fail, if it answers and P1 holds it; else REASON_NONE */
	struct failure failure;
	bool has_shown; /* it has shown a row that counts in its cluster */
	int64_t shown_tstamp; /* of the last such row */
	int64_t judged_lag_ms; /* its lag when the last round of its cluster ended; 0 if that was unknown, too */
	int64_t lag_bar_ms;    /* what lag_bar() of lag.h keeps of all its lags */
	int64_t stood_ms; /* steady, when its kept connection last stood, also in an earlier run (P1); INT64_MIN: never */
	int64_t went_ms;  /* steady, since when it was silent in the earlier run, having said that it stops (P2) */
	int reserved_id;  /* the cluster id of a beat that was tried through it (fleet_reserve_id()); -1: none */
	unsigned long tried_in;   /* the number of the round that last tried it as a candidate */
	unsigned long refused_in; /* the number of the round in which M5 last made it lost */
	struct sight seen; /* not yet judged; OBSERVED_NOTHING: nothing new */
	struct kin kin;    /* which server it says that it is */
	/* What is only shown, or rarely asked for. */
	enum reason reason; /* why it is lost, while it answers */
	int server_version;
	int64_t since_ms; /* wall clock, when it last changed its place */
	enum rule placed_by; /* the rule that put it into its place; RULE_NONE: it began there */
	enum rule ruled;     /* the rule that spoke last for it, also one that lets it stay */
	int64_t ruled_ms;    /* wall clock, since when `ruled` is that rule */
	char *aliases[NODE_ALIASES]; /* NULL: none; changed by fleet_give_alias() and fleet_take_alias() */
	size_t alias_next;
	char master_name[NAME_BYTES];
	struct votes *votes; /* how the monitors voted on its failure (votes.h); NULL: they were not asked */
	struct shown *shown;
	struct node_meter *meter;
	/* What belongs to the board (board.h). */
	struct node_view *view; /* as the node was last shown; NULL: never */
	int shown_in;           /* the cluster in whose picture it is, SHOWN_CLUSTERLESS or SHOWN_NOWHERE */
};

/* Who sat in a seat earlier, and the last beat written through it then. */
struct holder {
	char *name;
	int64_t last_tstamp;
};

struct cluster {
	int id;
	bool starting;         /* it waits for its slaves at the monitor's start (awaited.h) */
	struct list awaited;   /* nodes whose row names its master, as awaited_look() found last */
	bool start_ends;       /* awaited_look() found that one of its nodes went down */
	struct node *seat;     /* the sitting master; NULL: the seat is empty */
	struct node *sat_last; /* while the seat is empty: the member that sat there last; NULL: it has left */
	struct list members;   /* of nodes, in configured order, the seat's included */
	struct history beats;
	struct holder *holders;
	size_t holder_count;
	bool touched; /* in fleet->touched */
	bool emptied; /* in fleet->emptied */
	struct cluster_meter *meter;
	void *rounds; /* what keeps its rounds (monitor/clusters.h); the core does not look at it */
};

struct fleet {
	struct config *config; /* a reference of its own */
	struct node **nodes;   /* in configured order */
	size_t node_count;
	struct naming names;     /* ids and aliases */
	struct naming servers;   /* nodes by the server that they are entries of (kin.h) */
	struct naming masters;   /* masters by their origin (kin.h) */
	struct list disputes;    /* struct dispute * (dispute.h), the latest last */
	unsigned long dispute_count; /* goes up when a dispute begins and when one ends */
	struct list wanted;      /* nodes that dispute_find() wants to be asked again (kin.is_wanted) */
	struct list clusterless; /* nodes, in configured order */
	struct list clusters;    /* by id */
	int next_id;
	int64_t cut_off_ms;      /* steady: since when the monitor is isolated (P7, cut_off.h); INT64_MIN: it is not */
	int64_t cut_off_wall_ms; /* the same by the wall clock, for people */
	unsigned long rounds;    /* how many rounds have begun; the last one has this number */
	/* What may have changed since the board (board.h) was last brought up to date. */
	struct list touched;     /* clusters of which any node may have changed */
	bool touched_clusterless; /* any clusterless node may have changed */
	struct list touched_nodes; /* single nodes that may have changed or moved */
	unsigned long touches;   /* how often the board was brought up to date */
	struct list dropped;     /* ids of dropped clusters, as (void *)(intptr_t) */
	struct list emptied;     /* clusters whose last member has left; others may have joined since */
};

/* Makes a fleet of clusterless nodes of which nothing is known; takes a reference of `config`. */
struct fleet *fleet_new(struct config *config, const struct moment *now);

/* NULL allowed; clears the pointer. */
void fleet_free(struct fleet **fleet);

/*
 * Goes over to another configuration (contract.md, "Reload"). Nodes of the same id
 * keep their place and state; new ones are clusterless; the others leave, also from a
 * seat, without any change being told, and are added to `removed`. The caller calls round_forget()
 * for each of them in every unfinished round, then kin_reload(), and ends each by node_free().
 */
void fleet_reload(struct fleet *fleet, struct config *config, const struct moment *now,
		  struct list *removed);

/* Frees a node that has left the fleet. NULL allowed; clears the pointer. */
void node_free(struct node **node);

/* The cluster of that id, or NULL. */
struct cluster *fleet_find_cluster(const struct fleet *fleet, int id);

/* Adds a cluster with this id and no members; the fleet owns it. */
struct cluster *fleet_add_cluster(struct fleet *fleet, int id);

/* Removes a cluster that has no members. */
void fleet_drop_cluster(struct fleet *fleet, struct cluster *cluster);

/*
 * Puts a node in its place: the one function that changes it. When a node
 * leaves a seat, its cluster keeps a struct holder of it; PLACE_MASTER needs
 * an empty seat; `cluster` is NULL for PLACE_CLUSTERLESS.
 */
void fleet_move(struct node *node, struct cluster *cluster, enum place place,
		const struct moment *now);

/*
 * Notes that any node of the cluster (NULL: any clusterless node) may have to be shown differently, and that which
 * nodes these are may have changed. The next board_update() looks at all of them.
 */
void fleet_touch(struct fleet *fleet, struct cluster *cluster);

/* The same for one node alone. */
void node_touch(struct node *node);

/* Notes that the board shows all that was touched. */
void fleet_untouch(struct fleet *fleet);

/* Whether the node sits in the seat or is a slave: it is neither lost nor clusterless. */
bool node_is_in_place(const struct node *node);

/* Notes why the node is where it is, and the words for it; REASON_NONE and "": there is no reason. */
void node_give_reason(struct node *node, enum reason reason, const char *message);

/* Notes that a rule spoke for the node. */
void fleet_note_rule(struct node *node, enum rule rule, const struct moment *now);

/* Returns who sits in the seat; while it is empty, who sat there last, if still a member; else NULL. */
struct node *cluster_master(const struct cluster *cluster);

/* Returns the record of an earlier holder of this seat, or NULL. */
const struct holder *cluster_holder(const struct cluster *cluster, const struct node *node);

/* Returns the id for a cluster that `node` may found. The node keeps it for its next attempt until it is used. */
int fleet_reserve_id(struct fleet *fleet, struct node *node);

/* Notes that the reserved id was used (a cluster was founded with it), or gives it back if it is still the last one. */
void fleet_settle_id(struct fleet *fleet, struct node *node, bool used);

/* The beat that the sitting master (or a candidate) of `cluster` is to be sent now. */
struct beat_order fleet_beat_order(const struct cluster *cluster, const struct node *node,
				   const struct moment *now);

/* "clusterless", "master", "slave", "lost". */
const char *place_name(enum place place);
