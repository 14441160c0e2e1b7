/*
 * Silences: somebody has said that no triggers run until a given time for the events of a node, of a cluster, or for
 * all events (the silence's target). Each target has one at most: a later one replaces it. They are kept in the order
 * of their targets, so that those of an event are found by binary search. Pure: times are the wall clock's, in ms.
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
	SILENCE_CLUSTER, /* no trigger of an event of this cluster runs, nor that of its heartbeats */
	SILENCE_NODE     /* no trigger of an event that is about this node runs */
};

struct silence {
	enum silence_kind kind;
	int cluster_id; /* of a cluster; else -1 */
	char *node;     /* of a node: its id "host:port"; else NULL */
	int64_t since_ms;
	int64_t until_ms; /* when it is over */
	char *by;     /* the user who has set it */
	char *reason; /* "": none was given */
};

/* Zero-initialised: there are none. Ended by silences_free(). */
struct silences {
	struct silence *items;
	size_t count;
	size_t room;
};

/* The target as a text that no other target has: "all", "0", "db1:5432". The caller's. */
char *silence_target(const struct silence *silence);

/* Reads such a text into `kind`, `cluster_id` and `node`; false: it names no target, and nothing is to be freed. */
bool silence_read_target(struct silence *silence, const char *target);

/* Appends "silenced by alice until 2026-11-30 12:03:44 UTC (upgrade)". */
void silence_add_words(const struct silence *silence, struct buf *out);

/* Makes of a text (NULL: "") one line of SILENCE_REASON_BYTES at most, which may be kept as a reason. The caller's. */
char *silence_clean_reason(const char *text);

/* Writes into an open object: "target", "kind", "since", "until", "by" and "reason". */
void silence_render(const struct silence *silence, struct json *json);

/*
 * Writes one object as it is stored, and read by records/silence_json.h: "target", "since_ms", "until_ms", "by" and
 * "reason".
 */
void silence_render_stored(const struct silence *silence, struct json *json);

/* Whether both have the same target, times, user and reason. */
bool silence_same(const struct silence *a, const struct silence *b);

/* A copy with texts of its own. */
struct silence silence_copy(const struct silence *silence);

/* Frees the silence's texts, and clears it. */
void silence_clear(struct silence *silence);

/*
 * Adds a copy of the silence, in place of one with the same target. False: there are SILENCES_MOST with other targets.
 */
bool silences_put(struct silences *silences, const struct silence *silence);

/* The silence with the target of `like`; NULL: there is none. Pointers to silences are valid until the next change. */
const struct silence *silences_find(const struct silences *silences, const struct silence *like);

/* The silence in which the event falls at that time; of several the one that ends last. NULL: its triggers may run. */
const struct silence *silences_of_event(const struct silences *silences, const struct event *event, int64_t now_ms);

/* Removes the silence with the target of `like`. False: there was none. */
bool silences_drop(struct silences *silences, const struct silence *like);

/* A silence that is over at that time; NULL: none is. */
const struct silence *silences_over(const struct silences *silences, int64_t now_ms);

/* When the first of them ends; INT64_MAX: there is none. */
int64_t silences_next_end(const struct silences *silences);

/* Writes an array of all as they are stored. */
void silences_render_stored(const struct silences *silences, struct json *json);

void silences_free(struct silences *silences);
