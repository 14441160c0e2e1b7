/*
 * Silences: somebody has said that the triggers of a node's events, of a cluster's or of all do not run until a given time.
 * One for each target: a later one of the same target takes its place. They are kept in the order of their targets, so that
 * an event's are found in a time that grows with the logarithm of their number. Pure: times are the wall clock's, in ms.
 */
#pragma once

#include "base/json.h"
#include "core/view.h"

#define SILENCES_MOST 1000
#define SILENCE_BY_BYTES 64      /* of the user's name */
#define SILENCE_REASON_BYTES 200
#define SILENCE_TARGET_BYTES 1024
#define SILENCE_MOST_S INT64_C(2592000) /* 30 days */

enum silence_kind {
	SILENCE_ALL,     /* no trigger runs */
	SILENCE_CLUSTER, /* none of an event of this cluster, its heartbeats too */
	SILENCE_NODE     /* none of an event that is about this node */
};

struct silence {
	enum silence_kind kind;
	int cluster_id; /* of a cluster; else -1 */
	char *node;     /* of a node: its id "host:port"; else NULL */
	int64_t since_ms;
	int64_t until_ms; /* from then on it is over */
	char *by;     /* who has said it */
	char *reason; /* ""; none was given */
};

/* Zero-initialised: none. Ended by silences_free(). */
struct silences {
	struct silence *items;
	size_t count;
	size_t room;
};

/* What it is about, as a text that only this target has: "all", "0", "db1:5432". The caller's. */
char *silence_target(const struct silence *silence);

/* Reads such a text into `kind`, `cluster_id` and `node`; false, and nothing is to be freed: it is none. */
bool silence_read_target(struct silence *silence, const char *target);

/* "silenced by alice until 2026-11-30 12:03:44 UTC (upgrade)", appended. */
void silence_add_words(const struct silence *silence, struct buf *out);

/* Of that text what may be kept as a reason: one line of SILENCE_REASON_BYTES at most. NULL gives "". The caller's. */
char *silence_clean_reason(const char *text);

/* Into an open object: "target", "kind", "since", "until", "by" and "reason". */
void silence_render(const struct silence *silence, struct json *json);

/* One object as it is stored (records/silence_json.h reads it): "target", "since_ms", "until_ms", "by" and "reason". */
void silence_render_stored(const struct silence *silence, struct json *json);

/* Whether both say the same of the same target. */
bool silence_same(const struct silence *a, const struct silence *b);

/* With texts of its own. */
struct silence silence_copy(const struct silence *silence);

/* Frees what it holds. */
void silence_clear(struct silence *silence);

/* Copies it; one of the same target goes. False: there are SILENCES_MOST of others. */
bool silences_put(struct silences *silences, const struct silence *silence);

/* That of the same target as `like`; NULL: there is none. Until the next change, as all pointers to one. */
const struct silence *silences_find(const struct silences *silences, const struct silence *like);

/* That in which the event falls at that time, of several the one that ends last; NULL: its triggers may run. */
const struct silence *silences_of_event(const struct silences *silences, const struct event *event, int64_t now_ms);

/* Takes that of the same target out. False: there was none. */
bool silences_drop(struct silences *silences, const struct silence *like);

/* One that is over at that time; NULL: none is. */
const struct silence *silences_over(const struct silences *silences, int64_t now_ms);

/* When the first of them ends; INT64_MAX: there is none. */
int64_t silences_next_end(const struct silences *silences);

/* An array of all as they are stored. */
void silences_render_stored(const struct silences *silences, struct json *json);

void silences_free(struct silences *silences);
