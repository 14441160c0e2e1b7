#include "daemon/supervised.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/cut_off.h"
#include "loop/timer.h"
#include "system/notify.h"

struct supervised {
	struct timer *alive;
	char *told;
};

static void on_alive(void *data)
{
	struct supervised *supervised = data;

	notify_alive();
	timer_start(supervised->alive, notify_interval_ms());
}

struct supervised *supervised_new(uv_loop_t *loop)
{
	struct supervised *supervised = mem_zalloc(1, sizeof(*supervised));

	supervised->alive = timer_new(loop, NULL, on_alive, supervised);
	if (notify_interval_ms() > 0)
		on_alive(supervised);
	return supervised;
}

void supervised_tell(struct supervised *supervised, struct monitor *monitor)
{
	const struct board *board = monitor_board(monitor);
	bool isolated = fleet_is_cut_off(monitor_fleet(monitor));
	bool split = monitor_fleet(monitor)->disputes.count > 0;
	char *text = mem_printf("%s%s%zu clusters, %zu slaves, %zu lost",
				isolated ? "ISOLATED: no other host is heard; " : "",
				split ? "SPLIT BRAIN: two masters of one origin; " : "", board->cluster_count,
				board->slaves, board->lost);

	if (supervised->told == NULL || strcmp(supervised->told, text) != 0)
		notify_status(text);
	free(supervised->told);
	supervised->told = text;
}

void supervised_free(struct supervised **supervised_p)
{
	struct supervised *supervised = *supervised_p;

	*supervised_p = NULL;
	if (supervised == NULL)
		return;
	timer_free(&supervised->alive);
	free(supervised->told);
	free(supervised);
}
