/*
 * One action of a trigger under way: a command (child.h) or a Lua function
 * (runner.h). Says in the log how it went. Monitor's loop.
 */
#pragma once

#include "base/log.h"
#include "core/config.h"
#include "core/view.h"
#include "dispatch/runner.h"
#include "process/child.h"

struct action;

/* What actions run on; `runner` NULL where there is no Lua. */
struct action_kit {
	struct child_port *port;
	const struct runner *runner;
	/* How an action of the event's ended, in the log's words; NULL: nobody wants to know. */
	void (*told)(void *data, const struct event *event, const char *path, const char *how);
	void *data;
};

/* Where a line about this event belongs; points into the event. */
struct log_about action_event_about(const struct event *event);

/* Whether the action needs one of the slots for commands. */
bool action_is_command(const struct config_action *config);

/*
 * Starts entry `index` of the event's trigger. `ended` is called once, never from
 * inside this call; the action is gone then.
 */
struct action *action_start(const struct action_kit *kit, const struct config *config,
			    size_t index, struct event *event, void (*ended)(void *data),
			    void *data);

/* At the end of the daemon: SIGTERM or SIGKILL to its group; a function is ended. */
void action_signal(struct action *action, int signal);
