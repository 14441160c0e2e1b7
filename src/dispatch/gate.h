/*
 * The seam between "an action's turn has come" and "it runs": who may say "not yet", before each action, while
 * what is to be known of its start is written down elsewhere. Other clusters go on meanwhile; within a cluster all
 * that is behind waits. Open for all where there is none. Monitor's loop.
 *
 * The gate is asked when a place is free, just before the start: also from inside dispatch_event(), so that who
 * queues an event knows by the end of that call whether its first action would start at once. It calls nothing
 * of the dispatch from there.
 */
#pragma once

#include "core/config.h"
#include "core/view.h"

enum gate_answer {
	GATE_OPEN, /* it starts */
	GATE_SOON, /* it keeps its place (a slot, if it is a command), and is not dropped where too much waits */
	GATE_SHUT  /* it gives its place to others */
};

struct gate {
	/*
	 * Whether this action of the event may start now; `again`: it had been started before by another monitor. After
	 * SOON or SHUT it is asked again when dispatch_gate_changed() says so, and once more whenever a place had to be
	 * waited for.
	 */
	enum gate_answer (*may_start)(void *data, const struct event *event, const struct config_action *action,
				      bool again);
	void *data;
};
