/*
 * Tells systemd how the daemon is: a line of status, and, for systemd's watchdog, that the loop turns. Monitor's
 * loop.
 */
#pragma once

#include <uv.h>

#include "monitor/monitor.h"

struct supervised;

/* Answers the watchdog, if there is one, from now on. Only this loop does, so that systemd sees when it hangs. */
struct supervised *supervised_new(uv_loop_t *loop);

/*
 * Tells systemd "2 clusters, 5 slaves, 1 lost", when that has changed. Before it stand whether this monitor acts
 * (`stand`; NULL: it is alone), that it is isolated, and that there is a split brain.
 */
void supervised_tell(struct supervised *supervised, struct monitor *monitor, const char *stand);

/* NULL allowed; clears the pointer. */
void supervised_free(struct supervised **supervised);
