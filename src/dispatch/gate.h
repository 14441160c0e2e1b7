/*
 * The seam between "an event was concluded" and "its triggers run": who may say "not yet". An event
 * that the gate does not let through stays at the head of its cluster's queue, and what is behind it
 * waits; other clusters go on. Open for all where there is none. Monitor's loop.
 */
#pragma once

#include "core/view.h"

struct gate {
	/* Whether the event's triggers may begin to run now; asked again after dispatch_gate_changed(). */
	bool (*may_run)(void *data, const struct event *event);
	void *data;
};
