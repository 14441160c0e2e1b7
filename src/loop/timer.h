/*
 * One-shot timers on a loop, owned by pointer: timer_free() may be called at any
 * time, also from the timer's own callback. Milliseconds, monotonic clock.
 * A timer that counts only the time in which the loop listened is a deadline (loop/deadline.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct timer;

struct timer *timer_new(uv_loop_t *loop, void (*fire)(void *data), void *data);

/* Sets or resets the timer. */
void timer_start(struct timer *timer, int64_t ms);

/* The same of a timer that is made when it is first set (NULL before): of most nodes some never are. */
void timer_set(struct timer **timer, uv_loop_t *loop, void (*fire)(void *data), void *data, int64_t ms);

/* NULL: one that was never set. */
void timer_stop(struct timer *timer);
bool timer_is_set(const struct timer *timer);

/* NULL allowed; clears the pointer. */
void timer_free(struct timer **timer);
