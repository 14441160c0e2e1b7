/*
 * The monitor: when to look at which node, rounds, the start, early rounds. It
 * joins probes (pg/) with rules (core/) and hands on what came of it. It decides
 * nothing about nodes itself. Monitor thread.
 */
#pragma once

#include <uv.h>

#include "core/board.h"
#include "core/saved.h"
#include "core/unsaved.h"
#include "loop/clock.h"
#include "monitor/jury.h"
#include "monitor/lacks.h"
#include "monitor/prober.h"

struct monitor;

struct monitor_events {
	/* An event fired; the callee takes its own reference. */
	void (*fired)(void *data, struct event *event);
	/* What the status shows has changed. */
	void (*changed)(void *data);
};

/* What a monitor begins with. */
struct monitor_start {
	uv_loop_t *loop;
	struct config *config; /* it takes a reference */
	const struct clock *clock; /* outlives the monitor */
	const struct saved *saved; /* what an earlier run knew (core/saved.h); NULL: nothing */
	struct unsaved *unsaved; /* told what differs from the saved state; outlives the monitor. NULL: nobody is */
	const struct prober *prober; /* asks the nodes; outlives the monitor */
	struct jury *jury; /* asks the other monitors; outlives the monitor. NULL: there are none */
	struct meters *meters; /* into which it measures; outlives the monitor. NULL: it does not measure */
	const struct monitor_events *events;
	void *data;
};

/*
 * Starts looking at once. With something saved plusmoin_up fires at once, and the differences
 * are events.
 */
struct monitor *monitor_new(const struct monitor_start *start);

/* Notes that kept connections stand until now, before they are closed: for the last monitor_save(). NULL allowed. */
void monitor_stands(struct monitor *monitor);

/*
 * Renders what the next run is to know of this one, with `silences` (NULL: none). False while the start is under way,
 * or a round whose changes were not told: what was saved before stays valid.
 */
bool monitor_save(const struct monitor *monitor, const struct silences *silences, struct buf *out);

/*
 * Goes over to another configuration (contract.md, "Reload") in the loop's next turn,
 * whatever is under way then: nothing is fired from inside this call. Of several the
 * last one counts. Takes a reference.
 */
void monitor_reload(struct monitor *monitor, struct config *config);

/* Renders the counts of the saved state (saved_keys.h). */
void monitor_render_meta(const struct monitor *monitor, struct buf *out);
const struct fleet *monitor_fleet(const struct monitor *monitor);

/* The fleet's pictures, brought up to date; the monitor's: board_ref() what is to be kept. */
struct board *monitor_board(struct monitor *monitor);

/* Whether the start is over: rounds go on, and losses count. */
bool monitor_has_started(const struct monitor *monitor);

/* What plusmoin itself lacks for connections; the monitor's. */
const struct lacks *monitor_lacks(const struct monitor *monitor);

/* Stops beats and polls, closes all connections. NULL allowed; clears the pointer. */
void monitor_free(struct monitor **monitor);
