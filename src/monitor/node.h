/*
 * A node's watch: its probe, the timers of its retries and its grace, and its door (fresh
 * connections beside the kept one). It takes in what was seen and reports it; what follows from
 * that is not decided here. Monitor thread.
 */
#pragma once

#include "core/verdict.h"
#include "loop/clock.h"
#include "loop/deadline.h"
#include "loop/timer.h"
#include "monitor/lacks.h"
#include "monitor/prober.h"
#include "monitor/throttle.h"
#include "monitor/trouble.h"

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

/*
 * A gate may hold back what was seen of a node, since it says nothing of the node (isolation.h), or does not count yet
 * (jury.h, witness.h). Called like watch_events; all but `late` and `admits` may be NULL.
 */
struct watch_gate {
	/* Half of the time of a look has passed, and nothing was heard of the node's host. */
	void (*late)(void *data, struct watch *watch);
	/*
	 * A look has ended: whether it may be taken in. Else the callee puts it aside, asks anew or calls
	 * watch_take_nothing().
	 */
	bool (*admits)(void *data, struct watch *watch, const struct observation *seen);
	/* A fresh connection has failed on its way to the host, and the kept one stands. */
	void (*door_of_path)(void *data, struct watch *watch);
	/* The node has said what it hears of its master (P6). */
	void (*heard)(void *data, struct watch *watch, const struct hearing *hearing);
	/* The watch ends. */
	void (*left)(void *data, struct watch *watch);
};

#define WATCH_GATES 3

struct watch_gate_at {
	const struct watch_gate *gate;
	void *data;
};

/* The watches of a monitor, and what they share. The monitor owns it. */
struct watches {
	uv_loop_t *loop;
	const struct clock *clock;
	struct config *config; /* the present one; the monitor's reference */
	struct fleet *fleet;
	const struct prober *prober;
	void *probes;    /* what the prober's probes share */
	struct deadlines *deadlines; /* of all watches and probes; they know the monitor's own stalls (P4) */
	struct lacks lacks; /* what plusmoin itself lacks for connections */
	const struct watch_events *events;
	void *data;
	struct meters *meters; /* NULL: nothing is measured */
	struct watch_gate_at gates[WATCH_GATES]; /* a look passes them in this order; set before the first look */
	size_t gate_count;
	struct watch **by_order; /* by_order[i] is that of fleet->nodes[i] */
	size_t count;
	bool quiet; /* the monitor is isolated (P7): no retries, no fresh connections */
	bool starts; /* the start waits for first answers: a node that has answered is not asked again */
	struct throttle *throttle; /* limits what is begun at once */
	struct timer *refresh;   /* gives one node after another a fresh connection */
	size_t refresh_next;
};

/* Whose fault it is that a fresh connection fails on its way while the kept one answers (P7). */
enum door_way {
	DOOR_UNTRIED, /* not known: it does not count */
	DOOR_TRIED,   /* another host was heard after it: it is tried again */
	DOOR_OWN      /* it failed after that, or there is no other host: the node's */
};

struct watch {
	struct watches *all;
	struct node *node;
	void *probe;
	struct timer *retry; /* NULL: it needs none */
	struct deadline grace;
	struct timer *fresh; /* tries a fresh connection again while the door (door.h) is shut */
	enum reason door;    /* why the last fresh connection failed; REASON_NONE: it did not */
	struct pause door_pause; /* between fresh connections that the server refuses beside the kept one */
	struct pause pause;      /* between looks that the server refuses */
	bool awaited;            /* an open round waits for it */
	bool unseen; /* the last look came to nothing for a fault of ours, and no connection is left */
	bool at_start; /* it is of a start without saved clusters, which waited for its first answer */
	bool anew;   /* while a reload is taken: its connection is to be made anew */
	struct pass pass; /* for its look */
	uint64_t began_ns; /* uv_hrtime(): when the look under way began; 0: none is */
	int64_t asked_ms; /* steady: when its last look began; 0: none has */
	int64_t late_ms;  /* steady: since when that look is late (events->late); INT64_MIN: it is not */
	struct observation *aside; /* what that look came to, while a gate holds it back; NULL: nothing waits */
	const struct watch_gate *aside_of; /* the gate that holds it back (gates.h) */
	bool is_doubted; /* a doubt is about it (doubt.h) */
	bool is_void;    /* the look under way counts only if it is answered */
	int voids;       /* looks in a row that did not count */
	void *knock;     /* a knock at another host, because the door fails on the way (P7); NULL: none */
	enum door_way door_way;
	struct listener *listener; /* of a slave: what it has said of its master (listener.h); NULL: nothing */
	struct opinion *opinion;   /* of a master: what its slaves say (witness.h); NULL: they were never asked */
	struct question *question; /* what monitors ask one another about it (juror.h); NULL: nothing */
	void *way;       /* a knock at its own host, while a doubt is about it; NULL: none */
	struct trouble trouble; /* what the log was told of its failing */
	struct lack_met lack; /* why no connection to it could be made */
};

/* Makes a watch for each of the fleet's nodes. The caller sets loop, clock, config, fleet, prober and events before. */
void watches_open(struct watches *all);
void watches_close(struct watches *all);

/*
 * After fleet_reload(): ends the watches of nodes in `removed` and the nodes with them, makes one
 * for each new node (marked `anew`), and lets the others go over to the configuration, with a
 * new connection where they are marked.
 */
void watches_reload(struct watches *all, struct list *removed);

struct watch *watch_of(const struct watches *all, const struct node *node);

/* Asks the node, if nothing is under way: now, or when the throttle lets it. */
void watch_look(struct watch *watch);

/*
 * Whether the node has said why it refuses us, and the pause after that (pause.h) is not over: its own timer
 * asks it then, and rounds do not. Never so for a node whose place depends on its answer.
 */
bool watch_is_left_alone(const struct watch *watch);
bool watch_is_busy(const struct watch *watch);

/* Takes in what was seen of the node, if the gates admit it. */
void watch_saw(struct watch *watch, const struct observation *seen);

/* Copies what was seen, which waits, in place of what has waited so far. No look begins while something waits. */
void watch_put_aside(struct watch *watch, const struct observation *seen);

/* Takes in what waits, if something does, as if it had come now, and if the next gates admit it; or drops it. */
void watch_take_aside(struct watch *watch);
void watch_drop_aside(struct watch *watch);

/* Takes in a look that saw nothing; of `seen` only the kept connection counts. Who waits for the look goes on. */
void watch_take_nothing(struct watch *watch, const struct observation *seen);

/* Sends a beat to a node that has just said master. Not while it is busy. */
void watch_beat(struct watch *watch, const struct beat_order *order);

/* Whether it has never answered nor failed, and its first login is under way. */
bool watch_is_logging_in(const struct watch *watch);

/* Sets or clears the retry and grace timers by the node's present state. */
void watch_plan(struct watch *watch);
void watches_plan(const struct watches *all);
void watch_plan_cluster(const struct watches *all, const struct cluster *cluster);
