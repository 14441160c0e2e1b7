/* What systemd is told of the daemon's life: a line of status, and that the loop turns. Monitor's loop. */
#pragma once

#include <uv.h>

#include "monitor/monitor.h"

struct supervised;

/* Feeds the watchdog, if there is one, from now on: by this loop alone, so that a hang is seen. */
struct supervised *supervised_new(uv_loop_t *loop);

/* "2 clusters, 5 slaves, 1 lost", when that has changed; that the monitor is isolated comes first,
 * before that whether it acts (`stand`; NULL: there is no other one). */
void supervised_tell(struct supervised *supervised, struct monitor *monitor, const char *stand);

/* NULL allowed; clears the pointer. */
void supervised_free(struct supervised **supervised);
