/*
 * Deadlines: timers that count the time in which this loop listened. A deadline runs in slices, of an eighth of its
 * time at most; a slice in which the loop slept for longer (starved, stopped, asleep with the machine) does not count,
 * up to twice the time in all. A deadline does not judge in the turn in which it expires: after a stall libuv runs
 * expired timers before it reads sockets, so the answer may be there already; it fires when the sockets have been read
 * once more. If the monitor was stalled since it was set (deadlines_note_stall()) it is set anew instead.
 *
 * A slice lasts a power of two of milliseconds, and all slices of one length stand in one line, in the order in which
 * they end: to set or to stop a deadline costs the same with one as with ten thousand of them, and no system call.
 * Milliseconds; the steady clock. The loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/* All deadlines of one loop, and how often their owner was stalled. */
struct deadlines;

/* One deadline; it stands inside its owner, who stops it before it is freed. It must not be copied or moved. */
struct deadline {
	struct deadlines *all;
	void (*fire)(void *data);
	void *data;
	struct deadline *previous; /* the one before it in its line; NULL: it is the first, or not set */
	struct deadline *next;
	int64_t due_ms;            /* steady: the end of the present slice */
	int32_t ms;                /* the time to which it was set */
	int32_t left_ms;           /* time for which the loop has still to listen */
	unsigned stalls_then;      /* how often the owner had been stalled when it was set */
	int8_t line;               /* the line of the present slice; -1: the deadline is not set */
	int8_t skips;              /* slices that did not count */
};

/* Freed by deadlines_free() when its deadlines are stopped; the loop must run on until its handles are closed. */
struct deadlines *deadlines_new(uv_loop_t *loop);

/* NULL allowed; clears the pointer. */
void deadlines_free(struct deadlines **all);

/* Notes that the monitor was stalled (P4): each deadline that is set now begins anew when it expires. */
void deadlines_note_stall(struct deadlines *all);

/* Returns how often the monitor was stalled. */
unsigned deadlines_stalls(const struct deadlines *all);

void deadline_init(struct deadline *deadline, struct deadlines *all, void (*fire)(void *data), void *data);

/* Sets or resets the deadline. */
void deadline_start(struct deadline *deadline, int64_t ms);

/* As deadline_start(), for a caller that knows what clock_steady_ms() says. */
void deadline_start_at(struct deadline *deadline, int64_t now_ms, int64_t ms);

/* Stops the deadline; does nothing if it is not set. */
void deadline_stop(struct deadline *deadline);
bool deadline_is_set(const struct deadline *deadline);
