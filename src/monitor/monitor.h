/*
 * The monitor: when to look at which node, rounds, the start, early rounds. It
 * joins io (probes) with core (rules) and hands on what came of it. It decides
 * nothing about nodes itself. Monitor thread.
 */
#pragma once

#include <uv.h>

#include "core/view.h"
#include "io/clock.h"

struct monitor;

struct monitor_events {
	/* An event fired; the callee takes its own reference. */
	void (*fired)(void *data, struct event *event);
	/* The status has changed; `now`: within 20 ms it must be on disk. */
	void (*changed)(void *data);
};

/* Starts looking at once. Takes a reference of `config`; `clock` must outlive it. */
struct monitor *monitor_new(uv_loop_t *loop, struct config *config, const struct clock *clock,
			    const struct monitor_events *events, void *data);

/*
 * Goes over to another configuration (contract.md, "Reload") in the loop's next turn,
 * whatever is under way then: nothing is fired from inside this call. Of several the
 * last one counts. Takes a reference.
 */
void monitor_reload(struct monitor *monitor, struct config *config);
const struct fleet *monitor_fleet(const struct monitor *monitor);

/* Stops beats and polls, closes all connections. NULL allowed; clears the pointer. */
void monitor_free(struct monitor **monitor);
