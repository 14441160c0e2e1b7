#include "standin/stalls.h"

#include <inttypes.h>
#include <stdio.h>

#define LOOK_MS 2
#define KEPT 1024
#define NS_PER_MS 1000000
#define MS_PER_S 1000
#define US_PER_MS 1000

struct stall {
	int64_t end_ms; /* since the epoch */
	uint64_t ms;
};

static uv_timer_t timer;
static uint64_t last_ns; /* when the loop turned last; 0: nobody looks */
static uint64_t least;
static struct stall stalls[KEPT];
static size_t count;

/* Notes for how long the loop has stood still until now. */
static void look(void)
{
	uint64_t now_ns = uv_hrtime();
	uint64_t ms = (now_ns - last_ns) / NS_PER_MS;
	uv_timeval64_t now;

	last_ns = now_ns;
	if (ms < least || count == KEPT || uv_gettimeofday(&now) != 0)
		return;
	stalls[count].end_ms = now.tv_sec * MS_PER_S + now.tv_usec / US_PER_MS;
	stalls[count++].ms = ms;
}

static void on_look(uv_timer_t *handle)
{
	(void)handle;
	look();
}

void stalls_print(uv_loop_t *loop, uint64_t least_ms)
{
	if (last_ns != 0)
		look();
	for (size_t i = 0; i < count; i++)
		(void)printf("stall %" PRId64 " %" PRIu64 "\n", stalls[i].end_ms, stalls[i].ms);
	count = 0;
	least = least_ms;
	if (last_ns != 0)
		return;
	last_ns = uv_hrtime();
	(void)uv_timer_init(loop, &timer);
	(void)uv_timer_start(&timer, on_look, LOOK_MS, LOOK_MS);
	uv_unref((uv_handle_t *)&timer);
}
