#include "daemon/headcount.h"

#include <stdlib.h>

#include "base/mem.h"
#include "loop/timer.h"

#define COUNT_MS 1000 /* how often the nodes that answer are counted */

struct headcount {
	struct council *council;
	struct monitor *const *monitor;
	struct timer *timer;
};

static void count(void *data)
{
	struct headcount *headcount = data;
	const struct fleet *fleet = *headcount->monitor != NULL ? monitor_fleet(*headcount->monitor) : NULL;
	size_t answering = 0;

	for (size_t i = 0; fleet != NULL && i < fleet->node_count; i++)
		answering += fleet->nodes[i]->known && fleet->nodes[i]->failure.attempts == 0;
	if (fleet != NULL)
		council_say(headcount->council, answering, fleet->node_count - answering);
	timer_start(headcount->timer, COUNT_MS);
}

struct headcount *headcount_new(uv_loop_t *loop, struct council *council, struct monitor *const *monitor)
{
	struct headcount *headcount = mem_zalloc(1, sizeof(*headcount));

	headcount->council = council;
	headcount->monitor = monitor;
	headcount->timer = timer_new(loop, count, headcount);
	count(headcount);
	return headcount;
}

void headcount_free(struct headcount **headcount_p)
{
	struct headcount *headcount = *headcount_p;

	*headcount_p = NULL;
	if (headcount == NULL)
		return;
	timer_free(&headcount->timer);
	free(headcount);
}
