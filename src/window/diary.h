/*
 * What happened last: events, and the beginnings and ends of their triggers, each with a number of its own and its text.
 * Who reads along (/events) asks for what came behind a number. Window thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "window/inbox.h"

#define DIARY_ENTRIES 1000
#define DIARY_SHOWN 5 /* events with a node or a cluster */

struct diary_entry {
	unsigned long number; /* 1, 2, 3, ... */
	struct note *note;
};

/* Zero-initialised: empty. Ended by diary_free(). */
struct diary {
	struct diary_entry entries[DIARY_ENTRIES]; /* a ring: number n is at n % DIARY_ENTRIES */
	unsigned long last; /* the number of the newest; 0: there is none */
};

/* Takes over the note. */
void diary_add(struct diary *diary, struct note *note);

/* The first that came after `number`, NULL: none has. What has left the ring is passed over (`*missed`). */
const struct diary_entry *diary_next(const struct diary *diary, unsigned long number, bool *missed);

/*
 * Into an open object: "events", the last few about that node ("host:port"), or of that cluster, each with what its
 * triggers did, oldest first.
 */
void diary_render_node(const struct diary *diary, const char *node, struct json *json);
void diary_render_cluster(const struct diary *diary, int cluster_id, struct json *json);
void diary_free(struct diary *diary);
