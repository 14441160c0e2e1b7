/*
 * The requests of the control socket that set and end silences, and show them. With several monitors they stand in a store
 * that all share: what is read there is what this monitor goes by (quiet.h). Monitor's loop.
 */
#pragma once

#include <uv.h>

#include "base/shared_text.h"
#include "core/fleet.h"
#include "daemon/control.h"
#include "daemon/quiet.h"

struct silencing;

/* Where the silences of several monitors stand. */
struct silencing_store {
	/*
	 * Has the silence stand there (`is_end`: go), which takes a while: silencing_stored() with this number follows, not from
	 * inside this call.
	 */
	void (*put)(void *data, unsigned long number, const struct silence *silence, bool is_end);
	/* Why this monitor cannot tell one cluster's id from another's; NULL: it can. */
	const char *(*lacks_ids)(void *data);
	void *data;
};

/* What it is made with; all of it outlives it. */
struct silencing_start {
	uv_loop_t *loop;
	struct quiet *quiet;
	struct control *control; /* answers go out there */
	struct silencing_store store;
	bool is_shared; /* else this monitor is alone, and there is no store */
	const struct fleet *(*fleet)(void *data);
	void *data;
};

struct silencing *silencing_new(const struct silencing_start *start);

/*
 * The outcome of a put: `why` NULL, and what now stands in the store was given to quiet_take() before; or why it cannot be.
 */
void silencing_stored(struct silencing *silencing, unsigned long number, const char *why);

/*
 * Answers the requests "silence" and "silence_end": at once, with a reference for the caller, what cannot be; else NULL, and
 * the answer follows by the control socket.
 */
struct shared_text *silencing_answer_set(struct silencing *silencing, unsigned long client, const struct request *request);
struct shared_text *silencing_answer_end(struct silencing *silencing, unsigned long client, const struct request *request);

/* An array of all that are in force, as people are shown them. */
void silencing_render(const struct silencing *silencing, struct json *json);

/* Whoever waits for an answer gets none. NULL allowed; clears the pointer. */
void silencing_free(struct silencing **silencing);
