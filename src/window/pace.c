#include "window/pace.h"

#include "loop/clock.h"

bool pace_allows(struct pace *pace, unsigned most)
{
	int64_t now_ms = clock_steady_ms();

	if (now_ms - pace->second_ms >= 1000)
		*pace = (struct pace){ .second_ms = now_ms };
	return pace->done++ < most;
}
