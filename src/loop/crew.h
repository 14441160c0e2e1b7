/*
 * The crew, which is the inside of the pool of worker threads (workers.h): workers.c gives it work and asks about it,
 * crew.c runs the threads. Nobody else includes this.
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
	bool left; /* nobody waits for it any more, so its worker is left behind */
	bool ran;  /* it has run, or never will */
	pid_t thread;     /* the worker that runs it */
	int64_t given_ns; /* steady, when it was given */
	int64_t taken_ns; /* steady, when a worker took it; 0: none has yet */
};

TAILQ_HEAD(works, work);

/* A loop that has given work. */
struct port {
	uv_loop_t *loop;
	uv_async_t *woken;
	struct works ran; /* works whose `done` is to be called there */
};

struct worker {
	pthread_t thread;
	bool lives;
	bool ended; /* workers_end() joins it */
};

/* The lock guards all of it. */
struct crew {
	pthread_mutex_t lock;
	pthread_cond_t wanted; /* signalled when there is work, or the end */
	pthread_cond_t gone;   /* signalled when a worker has ended */
	bool ending;
	long processors; /* 0: not counted yet */
	struct works waiting[WORK_URGENCIES];
	struct works running;      /* the one that began first is first */
	struct list ports;
	struct worker workers[WORKERS_MOST];
	size_t alive; /* workers that have not ended */
	size_t idle;  /* workers that wait for work */
	size_t left;  /* workers that are left behind */
};

extern struct crew crew;

/* Returns the steady clock in ns. */
int64_t crew_now_ns(void);

/* Returns the work that is to be taken next, the most urgent; NULL: none waits. The caller holds the lock. */
struct work *crew_first_waiting(void);

/* Starts one more worker, if there may be one. The caller holds the lock. */
void crew_spawn(void);

/* Tells the work's loop that it has run, or never will. The caller holds the lock. */
void crew_give_back(struct work *work);
