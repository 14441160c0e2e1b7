#include "loop/clock.h"

#include <time.h>

static int64_t read_ms(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_steady_ms(void)
{
	return read_ms(CLOCK_BOOTTIME);
}

int64_t clock_wall_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

void clock_start(struct clock *clock)
{
	clock->start_steady_ms = clock_steady_ms();
	clock->start_wall_ms = clock_wall_ms();
}

struct moment clock_now(const struct clock *clock)
{
	int64_t steady_ms = clock_steady_ms();

	return (struct moment){
		.steady_ms = steady_ms,
		.stamp_ms = clock->start_wall_ms + (steady_ms - clock->start_steady_ms),
		.wall_ms = clock_wall_ms(),
	};
}
