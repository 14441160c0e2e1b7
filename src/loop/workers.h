/*
 * Workers: threads of our own for calls that may take long or never return (libpq reads files and computes what a
 * server asks for). One pool for all loops of the process. Work is taken by urgency, and then in the order in which
 * it comes. As many workers run as there are processors; when these have been at their work for WORKERS_PATIENCE_MS,
 * further ones take work.
 *
 * A worker whose work nobody waits for any more is left behind: it goes on at nice 19, and ends when its call
 * returns. There are at most WORKERS_MOST workers, those left behind included.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define WORKERS_MOST 32
#define WORKERS_PATIENCE_MS 50
#define WORKERS_NICE 5 /* by how much they are nicer than the process, so that loops go before them */

struct work; /* one call in a worker thread */

enum work_urgency {
	WORK_LAST,  /* it is the last step of something for which much was done already */
	WORK_SHORT, /* it is most likely short */
	WORK_LONG,  /* it may take long */
	WORK_URGENCIES
};

struct work_order {
	enum work_urgency urgency;
	uint64_t key; /* for whom it is done, for workers_left_for(); 0: for nobody */
	bool answers; /* whether it does what a server has asked for, for workers_left_for() */
	void (*run)(void *data);    /* called once in a worker thread */
	/* called once in the loop's thread, when `run` has returned or never will; `waited_ms`: its wait for a worker */
	void (*done)(void *data, int64_t waited_ms);
	void (*forget)(void *data); /* called instead of `done` after workers_close(), in any thread */
	void *data;
};

/*
 * Gives work to the pool; called in the loop's thread. The pool owns what is returned, which is valid until `done` is
 * called; NULL: no thread can be made.
 */
struct work *work_start(uv_loop_t *loop, const struct work_order *order);

/* Gives the work up: its worker is left behind, or none takes it any more. `done` is called nevertheless. */
void work_leave(struct work *work);

/* Sets for how long it has waited for a worker, and for how long it has run, in ms. */
void work_ages(const struct work *work, int64_t *waited_ms, int64_t *ran_ms);

/*
 * Whether at least `enough` works wait for a worker that were given WORKERS_PATIENCE_MS ago or earlier. With `at_work`
 * works given as long ago that still run count, too. Any thread.
 */
bool workers_are_behind(size_t enough, bool at_work);

/* Return how many workers are left behind: in all, or for this key and `answers`. Any thread. */
size_t workers_left(void);
size_t workers_left_for(uint64_t key, bool answers);

/* Whether no work waits, no worker has been at its work for `ms`, and none is left behind. Any thread. */
bool workers_keep_up(int64_t ms);

/* Called when this loop ends: from now on `forget` is called, not `done`. The loop turns on until its handle closes. */
void workers_close(uv_loop_t *loop);

/*
 * Called when the process ends: waits up to `ms` until all workers have ended. Returns false if some have not; then the
 * process must end by _exit(), because exit() would run beside them.
 */
bool workers_end(int64_t ms);
