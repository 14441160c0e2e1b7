#include "daemon/tidy.h"

#include <malloc.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "loop/timer.h"

#define SETTLED_MS 5000 /* 5,000 nodes are up in less */
#define AGAIN_MS 600000 /* connections that are made in worker threads and end here leave holes, too */

struct tidy {
	struct timer *timer;
};

static void on_settled(void *data)
{
	const struct tidy *tidy = data;
	uint64_t begin_ns = uv_hrtime();

	(void)malloc_trim(0);
	timer_start(tidy->timer, AGAIN_MS);
	log_debug("memory was given back to the system in %.1f ms", (double)(uv_hrtime() - begin_ns) / 1e6);
}

struct tidy *tidy_new(uv_loop_t *loop)
{
	struct tidy *tidy = mem_zalloc(1, sizeof(*tidy));

	tidy->timer = timer_new(loop, on_settled, tidy);
	return tidy;
}

void tidy_soon(struct tidy *tidy)
{
	timer_start(tidy->timer, SETTLED_MS);
}

void tidy_free(struct tidy **tidy_p)
{
	struct tidy *tidy = *tidy_p;

	*tidy_p = NULL;
	timer_free(&tidy->timer);
	free(tidy);
}
