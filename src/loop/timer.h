/*
 * One-shot timers on a loop, owned by pointer: timer_free() may be called at any
 * time, also from the timer's own callback. Milliseconds, monotonic clock.
 *
 * A deadline is a timer that counts the time in which this loop listened: it runs in
 * slices, and one in which the loop slept for longer (starved, stopped, asleep with the
 * machine) does not count, up to twice the time in all. It does not judge in the turn in
 * which it expires: after a stall libuv runs expired timers before it reads sockets, so the
 * answer may be there already; it fires in the turn after. If the monitor was stalled since
 * it was set (*stalls has changed) it is set anew instead.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct timer;

/* `stalls` NULL: a plain timer; else a deadline that watches this counter. */
struct timer *timer_new(uv_loop_t *loop, const unsigned *stalls, void (*fire)(void *data),
			void *data);

/* Sets or resets the timer. */
void timer_start(struct timer *timer, int64_t ms);
void timer_stop(struct timer *timer);
bool timer_is_set(const struct timer *timer);

/* NULL allowed; clears the pointer. */
void timer_free(struct timer **timer);
