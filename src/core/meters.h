/*
 * The meters (meter.h) of a node, of a cluster, and of the whole daemon. Those of nodes and clusters hang on them, and
 * pictures (view.h) refer to them: counted atomically, any thread may hold one and drop it. The daemon's are made
 * before, and end after, every thread that looks at them.
 */
#pragma once

#include "core/meter.h"
#include "core/names.h"

/* Of a node. */
struct node_meter {
	atomic_uint references;
	struct gauge answered_ms; /* steady, its last answer; 0: none yet */
};

/* Failures by what they say of the server, for clusters: few, so that a cluster has few series. */
enum failure_class {
	FAILURE_UNREACHABLE, /* there is no way to it: unreachable, dns */
	FAILURE_TIMEOUT,     /* silence: timeout, hung */
	FAILURE_REFUSED,     /* its host or system says no: refused, reset */
	FAILURE_REJECTED,    /* it lets nobody in: starting, full, auth, tls, ... */
	FAILURE_ANSWER,      /* it does, and its answer is no good: query_error, read_only, table, ... */
	FAILURE_CLASSES
};

/* Of a cluster. The monitor's thread writes. */
struct cluster_meter {
	atomic_uint references;
	struct counter rounds;   /* that have ended */
	struct counter connects; /* connections to its nodes that were tried */
	struct counter failures[FAILURE_CLASSES]; /* looks and beats */
	struct histogram observation; /* how long looks took */
};

/* Of the daemon. The monitor's thread writes, if nothing else is said. */
struct meters {
	struct histogram observation; /* how long looks took */
	struct histogram detection;   /* from the first failed look to the start of the first trigger, of losses */
	struct histogram run;         /* how long triggers ran */
	struct histogram lateness;    /* of a timer of the monitor's loop, */
	struct gauge turned_ms;       /* and when it fired last, steady: several times a second */
	struct counter connects;
	struct counter failures[REASONS]; /* looks and beats */
	struct counter runs_done;     /* of triggers, by their end */
	struct counter runs_failed;
	struct counter runs_timed_out;
	struct counter drops;         /* events whose triggers were dropped, all or the rest of them, or one by hand */
	struct gauge running;         /* triggers */
	struct gauge queue_length;    /* events of which no trigger has begun, */
	struct gauge queued_ms;       /* and since when the oldest waits, steady; 0: there is none */
	struct gauge splits;          /* pairs of masters of one origin */
	struct counter loads_good;    /* of the configuration, */
	struct counter loads_bad;
	struct gauge load_failed;     /* whether the last one was bad, */
	struct gauge loaded_ms;       /* and when the present one was taken, wall clock */
	struct gauge script_bytes;    /* of the present script host's state */
};

/* With one reference, the caller's. */
struct node_meter *node_meter_new(void);
struct node_meter *node_meter_ref(struct node_meter *meter);

/* NULL allowed; clears the pointer. */
void node_meter_unref(struct node_meter **meter);

/* With one reference, the caller's. */
struct cluster_meter *cluster_meter_new(void);
struct cluster_meter *cluster_meter_ref(struct cluster_meter *meter);

/* NULL allowed; clears the pointer. */
void cluster_meter_unref(struct cluster_meter **meter);

/* Zeroes all. Before any thread looks. */
void meters_init(struct meters *meters);

/* FAILURE_CLASSES: the reason is no look's or beat's. */
enum failure_class failure_class_of(enum reason reason);

/* "unreachable", "timeout", ... */
const char *failure_class_name(enum failure_class class);
