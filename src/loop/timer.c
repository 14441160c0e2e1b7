#include "loop/timer.h"

#include <stdlib.h>

#include "base/mem.h"

struct timer {
	uv_timer_t handle;
	void (*fire)(void *data);
	void *data;
};

struct timer *timer_new(uv_loop_t *loop, void (*fire)(void *data), void *data)
{
	struct timer *timer = mem_zalloc(1, sizeof(*timer));

	timer->fire = fire;
	timer->data = data;
	uv_timer_init(loop, &timer->handle);
	timer->handle.data = timer;
	return timer;
}

static void on_timer(uv_timer_t *handle)
{
	struct timer *timer = handle->data;

	timer->fire(timer->data);
}

void timer_start(struct timer *timer, int64_t ms)
{
	uv_update_time(timer->handle.loop);
	uv_timer_start(&timer->handle, on_timer, ms > 0 ? (uint64_t)ms : 0, 0);
}

void timer_set(struct timer **timer, uv_loop_t *loop, void (*fire)(void *data), void *data, int64_t ms)
{
	if (*timer == NULL)
		*timer = timer_new(loop, fire, data);
	timer_start(*timer, ms);
}

void timer_stop(struct timer *timer)
{
	if (timer != NULL)
		uv_timer_stop(&timer->handle);
}

bool timer_is_set(const struct timer *timer)
{
	return timer != NULL && uv_is_active((const uv_handle_t *)&timer->handle) != 0;
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
