#include "loop/timer.h"

#include <stdlib.h>

#include "base/mem.h"
#include "loop/clock.h"

#define DEADLINE_SLICES 8
#define DEADLINE_SKIPS 8 /* slices that may be left out: a loop that is always late comes to an end */

struct timer {
	uv_timer_t handle;
	void (*fire)(void *data);
	void *data;
	const unsigned *stalls; /* of a deadline: */
	unsigned stalls_then;
	int64_t ms;
	int64_t left_ms; /* still to be listened */
	int64_t due_ms;  /* the end of the present slice, steady */
	int skips;
	bool expired; /* in its last turn */
};

static void on_timer(uv_timer_t *handle);

struct timer *timer_new(uv_loop_t *loop, const unsigned *stalls, void (*fire)(void *data),
			void *data)
{
	struct timer *timer = mem_zalloc(1, sizeof(*timer));

	timer->fire = fire;
	timer->data = data;
	timer->stalls = stalls;
	uv_timer_init(loop, &timer->handle);
	timer->handle.data = timer;
	return timer;
}

static void set(struct timer *timer, int64_t ms)
{
	uv_update_time(timer->handle.loop);
	uv_timer_start(&timer->handle, on_timer, ms > 0 ? (uint64_t)ms : 0, 0);
}

static int64_t slice_ms(const struct timer *timer)
{
	int64_t slice = timer->ms / DEADLINE_SLICES;

	if (slice < 1)
		slice = 1;
	return slice < timer->left_ms ? slice : timer->left_ms;
}

static void set_slice(struct timer *timer, int64_t now_ms)
{
	timer->due_ms += slice_ms(timer);
	set(timer, timer->due_ms - now_ms);
}

void timer_start(struct timer *timer, int64_t ms)
{
	if (timer->stalls == NULL) {
		set(timer, ms);
		return;
	}
	timer->stalls_then = *timer->stalls;
	timer->ms = ms;
	timer->left_ms = ms;
	timer->skips = 0;
	timer->expired = false;
	timer->due_ms = clock_steady_ms();
	set_slice(timer, timer->due_ms);
}

/* A slice of a deadline is over; it does not count when the loop slept for longer than it lasts. */
static void end_slice(struct timer *timer)
{
	int64_t now_ms = clock_steady_ms();
	int64_t slice = slice_ms(timer);

	if (now_ms - timer->due_ms > slice && timer->skips < DEADLINE_SKIPS) {
		timer->skips++;
		timer->due_ms = now_ms;
	} else {
		timer->left_ms -= slice;
	}
	if (timer->left_ms > 0) {
		set_slice(timer, now_ms);
	} else {
		timer->expired = true;
		set(timer, 1);
	}
}

static void on_timer(uv_timer_t *handle)
{
	struct timer *timer = handle->data;

	if (timer->stalls != NULL && !timer->expired)
		end_slice(timer);
	else if (timer->stalls != NULL && *timer->stalls != timer->stalls_then)
		timer_start(timer, timer->ms);
	else
		timer->fire(timer->data);
}

void timer_stop(struct timer *timer)
{
	uv_timer_stop(&timer->handle);
}

bool timer_is_set(const struct timer *timer)
{
	return uv_is_active((const uv_handle_t *)&timer->handle) != 0;
}

static void on_close(uv_handle_t *handle)
{
	free(handle->data);
}

void timer_free(struct timer **timer_p)
{
	struct timer *timer = *timer_p;

	*timer_p = NULL;
	if (timer != NULL)
		uv_close((uv_handle_t *)&timer->handle, on_close);
}
