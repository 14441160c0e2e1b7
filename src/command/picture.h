/*
 * Makes events and clusters out of JSON, for `run-trigger`: out of a file that somebody wrote, or of the running
 * daemon's answer. Shapes: contract.md, "JSON" and "Control socket".
 */
#pragma once

#include "core/board.h"

struct picture {
	struct event *event;
	struct board *board; /* all clusters, the event's own among them */
};

/*
 * Makes it from an event's JSON: the seed's keys, of which only those with a value are needed, and name, id, time (s),
 * rule, and a node's further keys. `kind` is its event; EVENT_NONE: the one that "name" says. False: `*error` says
 * what is wrong, and the caller frees it.
 */
bool picture_of_event(struct picture *picture, const char *text, size_t len, enum event_kind kind,
		      char **error);

/*
 * Makes it from the daemon's answer to {"request":"status"}: the event is what it would be if `kind` happened to the
 * first cluster now. Errors as above.
 */
bool picture_of_status(struct picture *picture, const char *text, size_t len, enum event_kind kind,
		       char **error);

/* Drops its references. */
void picture_clear(struct picture *picture);
