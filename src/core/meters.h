/*
 * The meters (meter.h) of a node, of a cluster, and of the whole daemon. Nodes, clusters and their pictures (view.h)
 * hold references of theirs, which are counted atomically: any thread may hold one and drop it. The daemon's are made
 * before every thread that reads them, and outlive it.
 */
#pragma once

#include "core/meter.h"
#include "core/names.h"

/* The meters of a node. */
struct node_meter {
	atomic_uint references;
	struct gauge answered_ms; /* steady, when it last answered; 0: not yet */
};

/* Classes of reasons, for the failures of a cluster. They are few, so that a cluster has few series of metrics. */
enum failure_class {
	FAILURE_UNREACHABLE, /* no way leads to the host: unreachable, dns */
	FAILURE_TIMEOUT,     /* the server does not answer in time: timeout, hung */
	FAILURE_REFUSED,     /* the host refuses or resets the connection: refused, reset */
	FAILURE_REJECTED,    /* the server refuses the login: starting, full, auth, tls, ... */
	FAILURE_ANSWER,      /* the server answers, but with an error: query_error, read_only, table, ... */
	FAILURE_CLASSES
};

/* The meters of a cluster, written by the monitor's thread. A look is one observation of a node. */
struct cluster_meter {
	atomic_uint references;
	struct counter rounds;   /* rounds that have ended */
	struct counter connects; /* connections to its nodes that were tried */
	struct counter failures[FAILURE_CLASSES]; /* failed looks and beats, by class */
	struct histogram observation; /* how long looks took */
};

/* The meters of the daemon. The monitor's thread writes them, if nothing else is said. */
struct meters {
	struct histogram observation; /* how long looks took */
	struct histogram detection;   /* losses: time from the first failed look to the start of the first trigger */
	struct histogram run;         /* how long triggers ran */
	struct histogram lateness;    /* how late a timer fired that runs on the monitor's loop several times a second */
	struct gauge turned_ms;       /* steady, when that timer fired last */
	struct counter connects;      /* connections that were tried */
	struct counter failures[REASONS]; /* failed looks and beats, by reason */
	struct counter runs_done;     /* runs of triggers that ended well */
	struct counter runs_failed;   /* runs of triggers that failed */
	struct counter runs_timed_out; /* runs of triggers that were ended at their timeout */
	struct counter drops;         /* events of whose triggers some or all were dropped, also by hand */
	struct counter silenced;      /* events of whose triggers some or all did not run because of a silence */
	struct gauge silences;        /* silences in force */
	struct gauge running;         /* triggers that run now */
	struct gauge queue_length;    /* events of which no trigger has begun yet */
	struct gauge queued_ms;       /* steady, since when the oldest of these waits; 0: there is none */
	struct gauge splits;          /* disputes (dispute.h) */
	struct counter loads_good;    /* loads of the configuration that were accepted */
	struct counter loads_bad;     /* loads of the configuration that were rejected */
	struct gauge load_failed;     /* 1: the last load was rejected */
	struct gauge loaded_ms;       /* wall clock, when the present configuration was accepted */
	struct gauge has_others;      /* 1: the configuration has `monitors`, and the next three are set */
	struct gauge acts;            /* 1: this monitor acts; 0: it stands by */
	struct gauge term;            /* the term in which it acts; 0: it stands by */
	struct gauge etcd_away;       /* 1: etcd cannot be asked, so that no trigger starts */
	struct gauge script_bytes;    /* memory of the present script host's Lua state */
};

/* Makes one with one reference, the caller's. */
struct node_meter *node_meter_new(void);
struct node_meter *node_meter_ref(struct node_meter *meter);

/* NULL allowed; clears the pointer. */
void node_meter_unref(struct node_meter **meter);

/* Makes one with one reference, the caller's. */
struct cluster_meter *cluster_meter_new(void);
struct cluster_meter *cluster_meter_ref(struct cluster_meter *meter);

/* NULL allowed; clears the pointer. */
void cluster_meter_unref(struct cluster_meter **meter);

/* Zeroes all meters. Called before any thread reads them. */
void meters_init(struct meters *meters);

/* Returns the class of a reason; FAILURE_CLASSES if no look or beat fails for that reason. */
enum failure_class failure_class_of(enum reason reason);

/* "unreachable", "timeout", ... */
const char *failure_class_name(enum failure_class class);
