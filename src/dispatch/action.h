/*
 * An action that runs: one of the commands (child.h) or Lua functions (runner.h) that are configured for an event.
 * Logs how it ended. Monitor's loop.
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
	ACTION_FAILED, /* it failed, was ended, or could not be started */
	ACTION_TIMED_OUT,
	ACTION_DROPPED, /* it was not started, and will not be */
	ACTION_SILENCED /* it was not started, and will not be, as its event falls in a silence */
};

/* Tells in the log's words how an action of the event ended, or (`path` NULL) that the event was dropped. */
typedef void dispatch_told(void *data, const struct event *event, const char *path, const char *how);

/* Callbacks that tell what becomes of the actions of events; each may be NULL. */
struct dispatch_events {
	/* An action of the event was started: its end is told later, never from inside this call. */
	void (*started)(void *data, const struct event *event, const char *path);
	dispatch_told *told;
	/*
	 * An action of the event ended in this way; called after `told`. When an event is dropped it is called for each
	 * action that has not run. The callee may drop its reference of the event.
	 */
	void (*ended)(void *data, const struct event *event, const char *path, enum action_end end, const char *how);
};

/* The kit: what all actions of a dispatch run with. `runner` NULL: there is no Lua. */
struct action_kit {
	struct child_port *port;
	const struct runner *runner;
	const struct dispatch_events *events; /* NULL: nobody is told */
	void *data;
	struct meters *meters; /* NULL: nothing is counted */
	const struct silences *silences; /* NULL: there are none */
};

/* Call `events->told`, or `events->ended`, if there is one. */
void action_tell(const struct action_kit *kit, const struct event *event, const char *path, const char *how);
void action_tell_end(const struct action_kit *kit, const struct event *event, const char *path, enum action_end end,
		     const char *how);

/* The fields of a log line about this event; they point into the event. */
struct log_about action_event_about(const struct event *event);

/* Whether the action is a command, and needs one of the slots for these; else it is a function. */
bool action_is_command(const struct config_action *config);

/*
 * Starts entry `index` of the event's trigger. `ended` is called once, never from
 * inside this call; the action is freed by then.
 */
struct action *action_start(const struct action_kit *kit, const struct config *config,
			    size_t index, struct event *event, void (*ended)(void *data),
			    void *data);

/* Sends SIGTERM or SIGKILL to the command's process group; ends a function. */
void action_signal(struct action *action, int signal);

/* Ends the action for `by` (copied) as action_signal() with SIGTERM does; it counts as failed, however it ends. */
void action_kill(struct action *action, const char *by);

/* What a function waits for; a command waits for nothing. */
struct runner_wait action_waits_for(const struct action *action);

/* A command's pid; 0: it has none, or is a function. */
int action_pid(const struct action *action);
