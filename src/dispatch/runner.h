/*
 * What runs the actions that are Lua functions, as dispatch sees it: script/
 * implements it, and dispatch/ knows no more of Lua than this. Monitor's loop.
 */
#pragma once

#include <stdbool.h>

#include "core/config.h"
#include "core/view.h"

struct runner_outcome {
	bool timed_out;
	const char *error; /* NULL: it ended well; lives for the call */
	int64_t took_ms;
};

enum runner_stop {
	RUNNER_ASKED,   /* plusmoin ends */
	RUNNER_BY_HAND, /* somebody has asked for the run's end */
	RUNNER_FORCED,  /* the run was asked to end before: if it cannot be stopped, it is no longer waited for */
};

/* What a run that was started waits for. */
struct runner_wait {
	const char *what; /* "sleep" or another literal; NULL: it waits for nothing, its code runs */
	int64_t since_ms; /* steady; 0: since it was started */
	bool begun;       /* false: it has not come to its first line yet */
};

struct runner {
	void *data;

	/* Whether a function of this load could start now; runner_changed calls for another look. */
	bool (*is_ready)(void *data, const struct config *config);

	/*
	 * Starts the function; `ended` is called once, never from inside this call.
	 * Takes its own reference of `event`. The result names the run for stop().
	 */
	void *(*start)(void *data, const struct config *config, const struct config_action *action,
		       struct event *event,
		       void (*ended)(void *owner, const struct runner_outcome *outcome),
		       void *owner);

	/* Ends a run; `ended` follows. With RUNNER_FORCED it follows even if the run cannot be stopped. */
	void (*stop)(void *data, void *run, enum runner_stop how);

	/* What a run waits for at this moment: it is under way elsewhere, and may be further already. */
	struct runner_wait (*waits_for)(void *data, const void *run);
};
