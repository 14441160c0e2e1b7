#include "daemon/supervised.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

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

	supervised->alive = timer_new(loop, on_alive, supervised);
	if (notify_interval_ms() > 0)
		on_alive(supervised);
	return supervised;
}

/* Writes since when the monitor is isolated; "" while it is not. */
static void write_isolation(const struct fleet *fleet, char *out, size_t size)
{
	time_t since = (time_t)(fleet->cut_off_wall_ms / 1000);
	struct tm at;

	out[0] = '\0';
	if (fleet_is_cut_off(fleet) && localtime_r(&since, &at) != NULL)
		(void)strftime(out, size, "ISOLATED since %H:%M:%S, no other host is heard; ", &at);
}

void supervised_tell(struct supervised *supervised, struct monitor *monitor, const char *stand)
{
	const struct board *board = monitor_board(monitor);
	char since[64];
	char *text;

	write_isolation(monitor_fleet(monitor), since, sizeof(since));
	text = mem_printf("%s%s%s%s%zu clusters, %zu slaves, %zu lost", stand != NULL ? stand : "",
			  stand != NULL ? "; " : "", since,
			  monitor_fleet(monitor)->disputes.count > 0 ? "SPLIT BRAIN: two masters of one origin; " : "",
			  board->cluster_count,
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
