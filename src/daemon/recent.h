/* The events that fired last, kept for who asks over the control socket. Monitor's loop. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "core/view.h"
#include "dispatch/dispatch.h"

#define RECENT_EVENTS 1000 /* kept for explain */
#define RECENT_LISTED 100  /* listed at most */
#define RECENT_OUTCOMES 4096 /* bytes kept of one event's outcomes, about */

/* What is kept of an event. The event itself is not, because its picture of the fleet may be big. */
struct recent_event {
	char id[48];
	enum event_kind kind;
	int64_t time_ms;
	int cluster_id;
	bool restored;
	enum rule rule;
	enum reason reason;
	char *node;          /* the node's name; NULL: the event is about no node */
	char *place;         /* the node's "host:port"; NULL: the event is about no node */
	char *message;       /* NULL: none */
	char *seen;          /* the last looks at the node, as JSON; NULL: the event is about no node */
	char *votes;         /* what the monitors said of the node, as JSON; NULL: they were not asked */
	/* the silence in which its triggers, or the rest of them, did not run; NULL: there was none */
	char *silenced;
	struct buf outcomes; /* JSON objects, commas between */
};

/* Zero-initialised: none yet. Ended by recent_free(). */
struct recent {
	struct recent_event events[RECENT_EVENTS]; /* a ring */
	size_t first;
	size_t count;
};

/* Keeps the event, with what `fleet` knows of its node at this moment. Heartbeats are not kept. */
void recent_add(struct recent *recent, const struct event *event, const struct fleet *fleet);

/*
 * Writes "events": [...], the oldest first: those after the event with the id `since` (NULL or unknown: all),
 * RECENT_LISTED at most.
 */
void recent_render(const struct recent *recent, const char *since, struct json *json);

/* Writes the object of the newest event; there must be one. */
void recent_render_newest(const struct recent *recent, struct json *json);

/*
 * Keeps how one of the event's triggers ended (`path` NULL: the event was dropped). Does nothing for an event that is
 * not kept.
 */
void recent_tell(struct recent *recent, const struct event *event, const char *path,
		 const char *how);

/* Keeps the words of a silence that began before all of the event's triggers had started. */
void recent_silence(struct recent *recent, const struct event *event, const char *words);

bool recent_has(const struct recent *recent, const char *id);

/*
 * Writes "event" into an open object, with what was "seen" and its "triggers". The event must be kept; `dispatch`
 * knows those of its triggers that have not ended.
 */
void recent_explain(const struct recent *recent, const char *id, const struct dispatch *dispatch,
		    struct json *json);

/* Writes "events" into an open object: the last few about this node ("host:port"), the oldest first. */
void recent_render_node(const struct recent *recent, const char *place, struct json *json);
void recent_free(struct recent *recent);
