/*
 * Which event's turn it is. Each cluster has a queue of runs, one for each event,
 * in order; a queue is found by its cluster's id and goes with its last run. The
 * first run of a queue stands in a line while nothing but a place is missing: the
 * line for commands, or that of its load's functions, each with masters' events
 * apart. Who starts what, and when, is dispatch.c's; so is how much may wait: here
 * it is counted. Nothing here looks at all queues but the queues_each() functions.
 * Monitor's loop.
 */
#pragma once

#include <sys/queue.h>

#include "core/view.h"

/* What becomes of one of an event's actions. */
enum plan { PLAN_RUN, PLAN_AGAIN /* another monitor had started it */, PLAN_SKIP /* or it has ended there */ };

struct action;
struct dispatch;
struct queue;

/*
 * Which part of a line: a place goes to masters' events before all others, and to a heartbeat that has not
 * begun when nothing else could take it.
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
	TAILQ_ENTRY(run) in_waiting;    /* while it has not begun, */
	int64_t queued_ms;              /* since then, steady; 0: it has begun */
	LIST_ENTRY(run) in_node;        /* of an event that is about a node */
	bool may_go;                    /* it has not begun, and is dropped where too much waits */
	size_t bytes;                   /* by which what waits grew with it */
	unsigned long number;           /* of the event in the dispatch: higher ones came later */
	int64_t came_ms;                /* when it was queued, and */
	int64_t started_ms;             /* when the action under way began, steady */
	struct queue *queue;
	struct event *event;
	struct config *config; /* the load that it was queued under */
	size_t next;           /* action */
	enum plan *plans;      /* of its actions; NULL: all run */
	bool begun;            /* one of them was started */
	bool held;             /* the next one has its place, and is to start soon (GATE_SOON) */
	bool shut;             /* it stands in no line until the gate changes (GATE_SHUT) */
	bool given_up;         /* its further actions do not run */
	int64_t kill_ms;       /* the action under way is killed then, steady; 0: it is not to be */
	struct dispatch *dispatch; /* this and the next two are dispatch.c's alone */
	struct action *action;     /* the one under way, NULL: none */
	int *slot;                 /* that it holds (slots.h), NULL: none */
	struct list before;        /* runs that have to end before this one may start */
	struct list after;         /* runs that wait for the end of this one */
};

struct queue {
	LIST_ENTRY(queue) in_chain;
	TAILQ_ENTRY(queue) in_line;
	struct queues *queues;
	int cluster_id;
	struct run_list runs;
	struct run_list expendable; /* of these: a heartbeat that waits, then slaves' events and node_held, the oldest first */
	size_t bytes;               /* of all runs, */
	size_t expendable_bytes;    /* and of these */
	size_t count;
	size_t heartbeats; /* of these */
	struct line *line; /* NULL: in none */
	enum rank rank;
};

/* Queues whose first run waits for a place of one kind, the longest first. */
struct line {
	TAILQ_ENTRY(line) in_lines;
	const struct config *config; /* whose functions; NULL: commands */
	struct queue_list ranks[RANKS];
};

TAILQ_HEAD(line_list, line);

#define QUEUE_CHAINS 4096 /* ids count up from 0: clusters spread evenly */

struct queues {
	struct queue_chain chains[QUEUE_CHAINS];
	struct run_chain nodes[QUEUE_CHAINS]; /* runs by the node that their event is about */
	size_t bytes;           /* of all queues */
	struct run_list waiting; /* runs that have not begun, the oldest first */
	size_t waiting_count;
	size_t actions;          /* of all runs, those that have not ended */
	unsigned long *numbers;  /* where the last run's number is: others may count there, too */
	unsigned long own_numbers;
	struct view *others;    /* the clusterless nodes as the last queued event shows them; NULL: none was queued */
	struct queue *fullest;  /* as it was found last, NULL: it is to be looked for, */
	size_t fullest_bytes;   /* and what of it was expendable then */
	size_t count; /* queues: none is empty */
	struct line_list lines; /* the commands' first; those of functions come and go */
	struct line commands;
};

void queues_init(struct queues *queues);

/* All lines and queues have to be empty. */
void queues_end(struct queues *queues);

/* The queue of this cluster (-1: of nodes in none), NULL: nothing is queued for it. */
struct queue *queues_find(const struct queues *queues, int cluster_id);

/*
 * By how many bytes what waits grows with this event: its own, and those of its pictures that the last event of its
 * queue, or of the clusterless nodes the last one queued, does not hold as well. So one picture of each queue, which
 * the board holds too while it is new, is not counted.
 */
size_t queues_weigh(const struct queues *queues, const struct event *event);

/*
 * Queues the event at the end of its cluster's queue, but before a heartbeat that waits
 * there for its turn. An event of a node that came from another cluster waits for that
 * node's events there. Takes references. `bytes`: as queues_weigh() said before room was made for it. `plans`, taken:
 * what becomes of each of its actions, of which one runs at least; NULL: all run.
 */
struct run *queues_add(struct queues *queues, struct event *event, struct config *config, enum plan *plans,
		       size_t bytes);

/* The run's action is under way: its queue stands in no line, and it is not dropped any more. */
void queue_run_begins(struct run *run);

/* The run's action keeps its place, but waits: its queue stands in no line, and it is not dropped any more. */
void queue_run_holds(struct run *run);

/* The gate is shut for the run: its queue stands in no line. */
void queue_run_is_shut_out(struct run *run);

/* Another action is the run's next one, and waits for its own place: what was held for the last one is not. */
void queue_run_turns(struct run *run);

/* The run's action has ended: goes to the next one that is to run. False: there is none. */
bool queue_run_goes_on(struct run *run);

/* Whether the run's action `index` is still to run, or runs. */
bool queue_run_has_left(const struct run *run, size_t index);

/* The run's action `index`, which it has left and which is not the next one, does not run. */
void queue_run_skip(struct run *run, size_t index);

/*
 * Lines up what is first in the run's queue, after a change of the run: its action
 * has ended, or its configuration is another. What stands in its line already stays.
 */
void queue_run_lines_up(const struct run *run);

/* The run leaves its queue and ends; those behind it and those that waited for it line up. */
void queue_run_free(struct run **run);

const struct config_action *queue_run_next_action(const struct run *run);

/* Who has stood longest in this part of the line; NULL: nobody. */
struct run *line_first(const struct line *line, enum rank rank);

/* Calls `look` for the first run of each queue; it may end that one and no other. */
void queues_each_first(const struct queues *queues, void (*look)(void *data, struct run *run), void *data);

/* Ends the lines of functions in which nobody stands. */
void queues_tidy(struct queues *queues);

/* Calls `look` for each run, those of a queue in order; it may free that run and no other. */
void queues_each(const struct queues *queues, void (*look)(void *data, struct run *run),
		 void *data);
