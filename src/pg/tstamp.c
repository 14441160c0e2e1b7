#include "pg/tstamp.h"

#include <stdlib.h>

#include "core/observation.h"

#define SECONDS_BELOW INT64_C(100000000000) /* TSTAMP_SECONDS */

int64_t tstamp_read(const char *text)
{
	int64_t tstamp = strtoll(text, NULL, 10);

	if (tstamp < 0)
		return 0;
	if (tstamp < SECONDS_BELOW)
		return tstamp * 1000 + 999;
	return tstamp > TSTAMP_MAX ? TSTAMP_MAX : tstamp;
}
