/* The events that fired last, for who asks over the control socket. Monitor's loop. */
#pragma once

#include "base/json.h"
#include "core/view.h"

#define RECENT_EVENTS 100

/* Zero-initialised: none yet. Ended by recent_free(). */
struct recent {
	struct event *events[RECENT_EVENTS]; /* a ring */
	size_t first;
	size_t count;
};

/* Keeps a reference; heartbeats are not kept. */
void recent_add(struct recent *recent, struct event *event);

/* "events": [...], oldest first; only those behind the event with the id `since` (NULL, unknown: all). */
void recent_render(const struct recent *recent, const char *since, struct json *json);
void recent_free(struct recent *recent);
