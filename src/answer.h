/* What the control socket answers about the fleet. Monitor's loop. */
#pragma once

#include "base/shared_text.h"
#include "core/board.h"
#include "dispatch/dispatch.h"
#include "io/clock.h"
#include "io/request.h"
#include "recent.h"

/* Into an open object: {"ok": false, "error": text}. */
void answer_error(struct json *json, const char *text);

/* All that is known of the fleet, an object; the reference is the caller's. */
struct shared_text *answer_status(const struct board *board);

/*
 * Into an open object: why the request's node is where it is, how an event came about, or
 * (neither is asked for) who is not well.
 */
void answer_explain(const struct request *request, const struct fleet *fleet,
		    const struct clock *clock, const struct recent *recent,
		    const struct dispatch *dispatch, struct json *json);
