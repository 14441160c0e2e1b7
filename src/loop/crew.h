/*
 * The pool of worker threads, from inside: workers.c gives it work and asks of it, crew.c runs the threads. Nobody else
 * includes this.
 */
#pragma once

#include <pthread.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "loop/workers.h"

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

struct work {
	TAILQ_ENTRY(work) link;
	struct work_order order;
	struct port *port; /* NULL: its loop has ended */
	bool left;
	bool ran; /* or never will */
	pid_t thread;     /* that runs it */
	int64_t given_ns;
	int64_t taken_ns; /* by a worker; 0: not yet */
};

TAILQ_HEAD(works, work);

/* A loop that has given work. */
struct port {
	uv_loop_t *loop;
	uv_async_t *woken;
	struct works ran; /* what is to be told there */
};

struct worker {
	pthread_t thread;
	bool lives;
	bool ended; /* workers_end() joins it */
};

/* All of it under the lock. */
struct crew {
	pthread_mutex_t lock;
	pthread_cond_t wanted; /* there is work, or the end */
	pthread_cond_t gone;   /* a worker has ended */
	bool ending;
	long processors; /* 0: not counted yet */
	struct works waiting[WORK_URGENCIES];
	struct works running;      /* who began first stands first */
	struct list ports;
	struct worker workers[WORKERS_MOST];
	size_t alive;
	size_t idle;
	size_t left;
};

extern struct crew crew;

/* The steady clock. */
int64_t crew_now_ns(void);

/* The work that is to be taken next; NULL: none waits. The lock is the caller's. */
struct work *crew_first_waiting(void);

/* One more worker, if there may be one. The lock is the caller's. */
void crew_spawn(void);

/* The work has run, or never will: its loop is told. The lock is the caller's. */
void crew_give_back(struct work *work);
