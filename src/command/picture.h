/*
 * Events and clusters out of JSON, for `run-trigger`: of a file that somebody wrote, or
 * of what the running daemon says. Shapes: contract.md, "JSON" and "Control socket".
 */
#pragma once

#include "core/board.h"

struct picture {
	struct event *event;
	struct board *board; /* all clusters, the event's own among them */
};

/*
 * From an event's JSON: the seed's keys, of which only those that say something are
 * needed, and name, id, time (s), rule, and a node's further keys. `kind`: its event,
 * EVENT_NONE: as "name" says. False: `*error` says what is wrong, the caller frees it.
 */
bool picture_of_event(struct picture *picture, const char *text, size_t len, enum event_kind kind,
		      char **error);

/*
 * From the daemon's answer to {"request":"status"}: the event as it would be if `kind`
 * happened to its first cluster now. As above.
 */
bool picture_of_status(struct picture *picture, const char *text, size_t len, enum event_kind kind,
		       char **error);

/* Drops its references. */
void picture_clear(struct picture *picture);
