/*
 * Threads of our own for calls that may take long or never return (libpq reads files and computes what a
 * server asks for). One pool for all loops of the process. Work is taken by urgency, and then in the order in which
 * it comes. As many workers run as there are processors; when these have been at their work for WORKERS_PATIENCE_MS,
 * more do.
 *
 * A worker whose work nobody waits for any more is left behind: it goes on at nice 19, and ends when its call
 * returns. There are WORKERS_MOST of all kinds at the most.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define WORKERS_MOST 32
#define WORKERS_PATIENCE_MS 50
#define WORKERS_NICE 5 /* nicer than the process: a loop that has something to do goes before them */

struct work; /* one call in a worker thread */

enum work_urgency {
	WORK_LAST,  /* ends what much was done for: before it is in vain */
	WORK_SHORT, /* most likely */
	WORK_LONG,  /* may be */
	WORK_URGENCIES
};

struct work_order {
	enum work_urgency urgency;
	uint64_t key; /* whom it is for, as workers_left_for() is asked; 0: nobody */
	bool answers; /* whether it does what somebody else has asked for, likewise */
	void (*run)(void *data);    /* called once in a worker thread */
	/* called once in the loop's thread, when `run` has returned or never will; how long it had to wait for a worker */
	void (*done)(void *data, int64_t waited_ms);
	void (*forget)(void *data); /* called in its place after workers_close(), in any thread */
	void *data;
};

/* From the loop's thread. Belongs to the pool, and is valid until `done` is called; NULL: no thread can be made. */
struct work *work_start(uv_loop_t *loop, const struct work_order *order);

/* Nobody waits for it any more: its worker is left behind, or none takes it. `done` is called nevertheless. */
void work_leave(struct work *work);

/* For how long it has waited for a worker, and been at work, in ms. */
void work_ages(const struct work *work, int64_t *waited_ms, int64_t *ran_ms);

/*
 * Whether `enough` works (or more) have waited for a worker for WORKERS_PATIENCE_MS; `at_work`: those count, too, that a
 * worker is at, since they were given. Any thread.
 */
bool workers_are_behind(size_t enough, bool at_work);

/* How many workers are left behind: in all, and for this key with these `answers`. Any thread. */
size_t workers_left(void);
size_t workers_left_for(uint64_t key, bool answers);

/* Whether no work waits, no worker has been at its work for so long, and none is left behind. Any thread. */
bool workers_keep_up(int64_t ms);

/* This loop ends: no `done` is called any more, `forget` is. Its handle closes with the next turns of the loop. */
void workers_close(uv_loop_t *loop);

/*
 * The process ends: idle workers end, others within `ms`. False when some have not: exit() would run beside
 * them, so the process must end by _exit().
 */
bool workers_end(int64_t ms);
