/*
 * The requests of the control socket that set and end silences, and show them. With several monitors silences are
 * kept in a store that all share, and those that are read there are in force here (quiet.h). Monitor's loop.
 */
#pragma once

#include <uv.h>

#include "base/shared_text.h"
#include "core/fleet.h"
#include "daemon/control.h"
#include "daemon/quiet.h"

struct silencing;

/* The store that several monitors share. */
struct silencing_store {
	/*
	 * Stores the silence (`is_end`: removes it), which takes a while: silencing_stored() with this number
	 * follows, not from inside this call.
	 */
	void (*put)(void *data, unsigned long number, const struct silence *silence, bool is_end);
	/* Says why this monitor's cluster ids are not those of the monitor that acts; NULL: they are. */
	const char *(*lacks_ids)(void *data);
	void *data;
};

/* What it is made with; all of it outlives it. */
struct silencing_start {
	uv_loop_t *loop;
	struct quiet *quiet;
	struct control *control; /* sends the answers */
	struct silencing_store store;
	bool is_shared; /* false: this monitor is alone, and there is no store */
	const struct fleet *(*fleet)(void *data);
	void *data;
};

struct silencing *silencing_new(const struct silencing_start *start);

/*
 * Takes the outcome of a put. `why` NULL: it is done, and quiet_take() was given before what is stored now; else why
 * it cannot be.
 */
void silencing_stored(struct silencing *silencing, unsigned long number, const char *why);

/*
 * Answer the requests "silence" and "silence_end". What cannot be is refused at once, with a reference for the
 * caller; else they return NULL, and the answer follows by the control socket.
 */
struct shared_text *silencing_answer_set(struct silencing *silencing, unsigned long client, const struct request *request);
struct shared_text *silencing_answer_end(struct silencing *silencing, unsigned long client, const struct request *request);

/* Writes an array of all silences in force, as people are shown them. */
void silencing_render(const struct silencing *silencing, struct json *json);

/* Whoever waits for an answer gets none. NULL allowed; clears the pointer. */
void silencing_free(struct silencing **silencing);
