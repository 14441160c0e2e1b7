/*
 * The queues know which event's turn it is. Each cluster has a queue of runs, one
 * for each event, in order; it is found by the cluster's id, and freed with its
 * last run. While the first run of a queue lacks nothing but a place to run in, the
 * queue stands in a line: that for commands, or that for the functions of its load
 * of the configuration. dispatch.c starts the runs, and bounds how much waits, which
 * is counted here. Only the queues_each() functions look at all queues. Monitor's loop.
 */
#pragma once

#include <sys/queue.h>

#include "core/view.h"

/* What becomes of one of an event's actions. */
enum plan {
	PLAN_RUN,
	PLAN_AGAIN, /* it runs, though another monitor had started it */
	PLAN_SKIP   /* it does not run: it has ended at another monitor, or was dropped */
};

struct action;
struct dispatch;
struct queue;

/*
 * The parts of a line. Masters' events get a place before all others; a heartbeat that has not begun gets one only when
 * no other event could use it.
 */
enum rank { RANK_MASTERS, RANK_OTHERS, RANK_HEARTBEATS, RANKS };

TAILQ_HEAD(run_list, run);
LIST_HEAD(run_chain, run);
TAILQ_HEAD(queue_list, queue);
LIST_HEAD(queue_chain, queue);

/* An event in its queue; its actions run one after another. */
struct run {
	TAILQ_ENTRY(run) in_queue;
	TAILQ_ENTRY(run) in_expendable; /* while may_go */
	TAILQ_ENTRY(run) in_waiting;    /* while it has not begun */
	int64_t queued_ms;              /* steady: when it was queued; 0: it has begun */
	LIST_ENTRY(run) in_node;        /* if its event is about a node */
	bool may_go;                    /* it is expendable (expendable.h) */
	size_t bytes;                   /* by how much it increased what waits (queues_weigh()) */
	unsigned long number;           /* of the event in the dispatch: later events have higher ones */
	int64_t came_ms;                /* steady: when it was queued */
	int64_t started_ms;             /* steady: when the action under way began */
	struct queue *queue;
	struct event *event;
	struct config *config; /* the load of the configuration under which it was queued */
	size_t next;           /* index of the action that is under way, or comes next */
	enum plan *plans;      /* of its actions; NULL: all run */
	bool begun;            /* one of them was started */
	bool held;             /* the next action has its place, and waits for the gate (GATE_SOON) */
	bool shut;             /* it stands in no line until the gate changes (GATE_SHUT) */
	bool given_up;         /* its further actions do not run */
	int64_t kill_ms;       /* steady: when the action under way is killed; 0: it is not */
	struct dispatch *dispatch; /* set by dispatch.c, for its callbacks */
	struct action *action;     /* the one under way; NULL: none */
	int *slot;                 /* the slot that it holds (slots.h); NULL: none */
	struct list before;        /* runs that have to end before this one may start */
	struct list after;         /* runs that wait for the end of this one */
};

struct queue {
	LIST_ENTRY(queue) in_chain;
	TAILQ_ENTRY(queue) in_line;
	struct queues *queues;
	int cluster_id;
	struct run_list runs;
	struct run_list expendable; /* those of `runs` that are expendable (expendable.h), in their order */
	size_t bytes;               /* of all runs */
	size_t expendable_bytes;    /* of the expendable runs */
	size_t count;      /* of runs */
	size_t heartbeats; /* how many runs are of heartbeats */
	struct line *line; /* in which the queue stands; NULL: in none */
	enum rank rank;    /* the part of that line */
};

/* A line holds the queues whose first run waits for one kind of place; the one that has waited longest is first. */
struct line {
	TAILQ_ENTRY(line) in_lines;
	const struct config *config; /* the load whose functions wait; NULL: commands wait */
	struct queue_list ranks[RANKS];
};

TAILQ_HEAD(line_list, line);

#define QUEUE_CHAINS 4096 /* ids count up from 0: clusters spread evenly */

struct queues {
	struct queue_chain chains[QUEUE_CHAINS];
	struct run_chain nodes[QUEUE_CHAINS]; /* runs by the node that their event is about */
	size_t bytes;           /* of the runs of all queues */
	struct run_list waiting; /* runs that have not begun, the oldest first */
	size_t waiting_count;
	size_t actions;          /* how many actions of all runs have not ended */
	unsigned long *numbers;  /* the number of the last run; other dispatches may count there, too */
	unsigned long own_numbers; /* to which `numbers` points at first */
	struct view *others;    /* the clusterless nodes as the last queued event shows them; NULL: none was queued */
	struct queue *fullest;  /* the queue that expendable_fullest() found last; NULL: it has to look again */
	size_t fullest_bytes;   /* the expendable bytes that `fullest` had then */
	size_t count; /* of queues, each of which has a run */
	struct line_list lines; /* that for commands first; those for functions are made when needed */
	struct line commands;
};

void queues_init(struct queues *queues);

/* All lines and queues have to be empty. */
void queues_end(struct queues *queues);

/* The queue of this cluster (-1: of events of no cluster); NULL: nothing is queued for it. */
struct queue *queues_find(const struct queues *queues, int cluster_id);

/*
 * By how many bytes this event increases what waits: its own, and those parts of its views that are not shared with
 * the last event of its queue (the cluster's view), or with the last event queued (the clusterless nodes' view). The
 * view of a queue's first event is not counted, as the board (core/board.h) holds it too while it is new.
 */
size_t queues_weigh(const struct queues *queues, const struct event *event);

/*
 * Queues the event at the end of its cluster's queue, but before a heartbeat that waits there. An event of a node that
 * came from another cluster waits for that node's events there. Takes references. `bytes`: what queues_weigh() said
 * before room was made for it. `plans`, which it takes over: what becomes of each action, of which at least one runs;
 * NULL: all run.
 */
struct run *queues_add(struct queues *queues, struct event *event, struct config *config, enum plan *plans,
		       size_t bytes);

/* The run's action is under way: its queue stands in no line, and it is not dropped any more. */
void queue_run_begins(struct run *run);

/* The run's action keeps its place, but waits: its queue stands in no line, and it is not dropped any more. */
void queue_run_holds(struct run *run);

/* The gate is shut for the run: its queue stands in no line. */
void queue_run_is_shut_out(struct run *run);

/*
 * The run has another next action, which waits for a place of its own, as the place held for the last one is given
 * back.
 */
void queue_run_turns(struct run *run);

/* The run's action has ended or is dropped: goes on to the next one that is to run. False: there is none. */
bool queue_run_goes_on(struct run *run);

/* Whether the run's action `index` is still to run, or runs. */
bool queue_run_has_left(const struct run *run, size_t index);

/* Leaves out the run's action `index`, which has not run, and is not the next one. */
void queue_run_skip(struct run *run, size_t index);

/*
 * Puts the run's queue into the line for its first run, after an action of the run has
 * ended, or its gate has changed. A queue that already stands there keeps its position.
 */
void queue_run_lines_up(const struct run *run);

/* Takes the run out of its queue and frees it; those behind it, and those that waited for it, line up. */
void queue_run_free(struct run **run);

const struct config_action *queue_run_next_action(const struct run *run);

/* The run that has stood longest in this part of the line; NULL: none stands there. */
struct run *line_first(const struct line *line, enum rank rank);

/* Calls `look` for the first run of each queue; it may free that run and no other. */
void queues_each_first(const struct queues *queues, void (*look)(void *data, struct run *run), void *data);

/* Frees the lines for functions in which no queue stands. */
void queues_tidy(struct queues *queues);

/* Calls `look` for each run, those of a queue in order; it may free that run and no other. */
void queues_each(const struct queues *queues, void (*look)(void *data, struct run *run),
		 void *data);
