#include "standin/wakeful.h"

static uv_idle_t idle; /* while it is active the loop does not sleep */
static uint64_t spin;
static uint64_t worked_ms;

static void on_idle(uv_idle_t *handle)
{
	if (uv_now(handle->loop) - worked_ms >= spin)
		(void)uv_idle_stop(handle);
}

void wakeful_start(uv_loop_t *loop, uint64_t spin_ms)
{
	spin = spin_ms;
	(void)uv_idle_init(loop, &idle);
}

void wakeful_note(uv_loop_t *loop)
{
	worked_ms = uv_now(loop);
	if (spin > 0 && !uv_is_active((uv_handle_t *)&idle))
		(void)uv_idle_start(&idle, on_idle);
}
