/*
 * One action of a trigger under way: a command (child.h) or a Lua function
 * (runner.h). Says in the log how it went. Monitor's loop.
 */
#pragma once

#include "base/log.h"
#include "core/config.h"
#include "core/meters.h"
#include "core/silences.h"
#include "core/view.h"
#include "dispatch/runner.h"
#include "process/child.h"

struct action;

/* What became of an action. */
enum action_end {
	ACTION_DONE,
	ACTION_FAILED, /* also: it was ended, or could not be started */
	ACTION_TIMED_OUT,
	ACTION_DROPPED, /* it was not started, and will not be */
	ACTION_SILENCED /* the same, as its event falls in a silence */
};

/* How one of an event's actions ended, or that the event was dropped (`path` NULL), in the log's words. */
typedef void dispatch_told(void *data, const struct event *event, const char *path, const char *how);

/* What is told of the actions of events, as it comes about; each may be NULL. */
struct dispatch_events {
	/* One of the event's actions has been started: its end is told later, never from inside this call. */
	void (*started)(void *data, const struct event *event, const char *path);
	dispatch_told *told;
	/* The same as data, after `told`; of an event that was dropped for each action that had not run. The event may go. */
	void (*ended)(void *data, const struct event *event, const char *path, enum action_end end, const char *how);
};

/* What actions run on; `runner` NULL where there is no Lua. */
struct action_kit {
	struct child_port *port;
	const struct runner *runner;
	const struct dispatch_events *events; /* NULL: nobody wants to know */
	void *data;
	struct meters *meters; /* NULL: nobody wants to know */
	const struct silences *silences; /* NULL: there are none */
};

/* Tells `events->told`, or `events->ended`, if somebody wants to know. */
void action_tell(const struct action_kit *kit, const struct event *event, const char *path, const char *how);
void action_tell_end(const struct action_kit *kit, const struct event *event, const char *path, enum action_end end,
		     const char *how);

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

/* As action_signal() with SIGTERM, and the action counts as failed, however it ends: `by` (copied) has ended it. */
void action_kill(struct action *action, const char *by);

/* What a function waits for; a command waits for nothing. */
struct runner_wait action_waits_for(const struct action *action);

/* A command's pid; 0: it has none, or is a function. */
int action_pid(const struct action *action);
