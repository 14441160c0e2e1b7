/*
 * A node's watch: its probe, the timers of its retries and its grace, and its door (fresh
 * connections beside the kept one). It takes in what was seen and reports it; what follows from
 * that is not decided here. Monitor thread.
 */
#pragma once

#include "core/verdict.h"
#include "loop/clock.h"
#include "loop/timer.h"
#include "monitor/lacks.h"
#include "monitor/prober.h"

struct watch;

/* Never called from inside a call of the owner's, but by the prober's callbacks and by timers. */
struct watch_events {
	/* A look has ended: the node has observed it. `first`: it was the node's first attempt. */
	void (*seen)(void *data, struct watch *watch, bool first, const struct moment *now);
	/* A beat that watch_beat() sent has its result. */
	void (*beaten)(void *data, struct watch *watch, const struct beat_result *result);
	/* A connection broke, or its door has opened or shut: worth a look at the node. */
	void (*worth_a_look)(void *data, struct watch *watch);
	/* The time ends for which P1, P2 or P5 kept the node, which is failing still. */
	void (*grace_ended)(void *data, struct watch *watch);
	/* What people are shown of the node has changed. */
	void (*changed)(void *data);
};

/* The watches of a monitor, and what they share. The monitor owns it. */
struct watches {
	uv_loop_t *loop;
	const struct clock *clock;
	struct config *config; /* the present one; the monitor's reference */
	struct fleet *fleet;
	const struct prober *prober;
	void *probes;    /* what the prober's probes share */
	unsigned stalls; /* how often the monitor itself was stalled (P4) */
	struct lacks lacks; /* what plusmoin itself lacks for connections */
	const struct watch_events *events;
	void *data;
	struct watch **by_order; /* of fleet->nodes[i] */
	size_t count;
	struct timer *refresh;   /* one node after another gets a fresh connection */
	size_t refresh_next;
};

/* What of a failing node failed last, as the log words it. */
enum failing { FAILING_NOT, FAILING_ANSWER, FAILING_QUESTION, FAILING_FRESH, FAILING_BEAT };

struct watch {
	struct watches *all;
	struct node *node;
	void *probe;
	struct timer *retry;
	struct timer *grace;
	struct timer *fresh; /* while the door is shut: to knock again */
	enum reason door;    /* why the last fresh connection failed; REASON_NONE: it did not */
	struct pause door_pause; /* of what fresh connections beside the kept one are told */
	struct pause pause;      /* of what looks are told in place of an answer */
	bool awaited;            /* an open round waits for it */
	bool unseen; /* the last look came to nothing for a fault of ours, and no connection is left */
	bool at_start; /* it was there when the monitor started and knew nothing */
	bool anew;   /* while a reload is taken: its connection is to be made anew */
	int64_t asked_ms; /* steady: when its last look began */
	enum failing failing; /* as the log was told, last time */
	bool told_error;      /* since it began to fail, an error was told */
	bool told_unheard[REASONS]; /* before it has ever answered: why it fails, each told once as an error */
	struct lack_met lack; /* why no connection to it could be made */
};

/* Makes a watch for each of the fleet's nodes; what has no default is set by the caller before. */
void watches_open(struct watches *all);
void watches_close(struct watches *all);

/*
 * After fleet_reload(): ends the watches of nodes in `removed` and the nodes with them, makes one
 * for each new node (marked `anew`), and lets the others go over to the configuration, with a
 * new connection where they are marked.
 */
void watches_reload(struct watches *all, struct list *removed);

struct watch *watch_of(const struct watches *all, const struct node *node);

/* Asks the node now, if nothing is under way. */
void watch_look(struct watch *watch);

/*
 * Whether the node has said why it refuses us, and the pause after that (pause.h) is not over: its own timer
 * asks it then, and rounds do not. Never one whose place hangs on its answer.
 */
bool watch_is_left_alone(const struct watch *watch);
bool watch_is_busy(const struct watch *watch);

/* Sends a beat to a node that has just said master. Not while it is busy. */
void watch_beat(struct watch *watch, const struct beat_order *order);

/* Whether it has never answered nor failed, and its first login is under way. */
bool watch_is_logging_in(const struct watch *watch);

/* Sets or clears the retry and grace timers by the node's present state. */
void watch_plan(struct watch *watch);
void watches_plan(const struct watches *all);
void watch_plan_cluster(const struct watches *all, const struct cluster *cluster);
