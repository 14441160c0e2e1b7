/* The events that fired last, for who asks over the control socket. Monitor's loop. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "core/view.h"
#include "dispatch/dispatch.h"

#define RECENT_EVENTS 1000 /* kept for explain */
#define RECENT_LISTED 100  /* listed at most */
#define RECENT_OUTCOMES 4096 /* bytes kept of one event's outcomes, about */

/* What is kept of an event: not the event, whose picture of the fleet may be big. */
struct recent_event {
	char id[48];
	enum event_kind kind;
	int64_t time_ms;
	int cluster_id;
	bool restored;
	enum rule rule;
	enum reason reason;
	char *node;          /* its name; NULL: it is about none */
	char *place;         /* its "host:port" */
	char *message;       /* NULL: none */
	char *seen;          /* its last looks, as JSON: the evidence; NULL: it is about no node */
	char *votes;         /* what the monitors said of its node, as JSON; NULL: they were not asked */
	char *silenced;      /* by which silence its triggers did not run, all or the rest of them; NULL: by none */
	struct buf outcomes; /* JSON objects, commas between */
};

/* Zero-initialised: none yet. Ended by recent_free(). */
struct recent {
	struct recent_event events[RECENT_EVENTS]; /* a ring */
	size_t first;
	size_t count;
};

/* With what is known of its node in `fleet` at this moment. Heartbeats are not kept. */
void recent_add(struct recent *recent, const struct event *event, const struct fleet *fleet);

/* "events": [...], oldest first; only those behind the event with the id `since` (NULL, unknown: all). */
void recent_render(const struct recent *recent, const char *since, struct json *json);

/* The object of the newest event; there is one. */
void recent_render_newest(const struct recent *recent, struct json *json);

/* How one of the event's triggers ended (`path` NULL: dropped); nothing for an event not kept. */
void recent_tell(struct recent *recent, const struct event *event, const char *path,
		 const char *how);

/* A silence has begun before all of the event's triggers had: its words. */
void recent_silence(struct recent *recent, const struct event *event, const char *words);

bool recent_has(const struct recent *recent, const char *id);

/*
 * Into an open object: "event" with what was "seen" and its "triggers", of one that is kept; `dispatch`
 * knows those that have not ended.
 */
void recent_explain(const struct recent *recent, const char *id, const struct dispatch *dispatch,
		    struct json *json);

/* Into an open object: "events", the last few about this node ("host:port"), oldest first. */
void recent_render_node(const struct recent *recent, const char *place, struct json *json);
void recent_free(struct recent *recent);
