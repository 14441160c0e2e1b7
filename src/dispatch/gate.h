/*
 * The gate is asked before each action starts, and may say "not yet": with several monitors its owner first has the
 * start written to etcd. Other clusters go on meanwhile; within the cluster all that is queued behind the action
 * waits. Where there is no gate, every action may start. Monitor's loop.
 *
 * The dispatch asks when a place is free, just before the start. It also asks from inside dispatch_event(), so that
 * the caller of that knows when it returns whether the first action may start at once. The gate must not call the
 * dispatch from there.
 */
#pragma once

#include "core/config.h"
#include "core/view.h"

enum gate_answer {
	GATE_OPEN, /* the action starts */
	GATE_SOON, /* the action keeps its place (a command its slot), and is not dropped where too much waits */
	GATE_SHUT  /* the action gives its place to others */
};

struct gate {
	/*
	 * Whether this action of the event may start now; `again`: another monitor had started it before. After SOON
	 * or SHUT the dispatch asks again when dispatch_gate_changed() is called, and when the action has waited for a
	 * place.
	 */
	enum gate_answer (*may_start)(void *data, const struct event *event, const struct config_action *action,
				      bool again);
	void *data;
};
