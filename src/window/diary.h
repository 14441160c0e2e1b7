/*
 * The diary keeps what happened last: events, and the starts and ends of their triggers, each an entry with a number
 * and a text. Clients of /events ask for the entries behind a number. Window thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "window/inbox.h"

#define DIARY_ENTRIES 1000
#define DIARY_SHOWN 5 /* events that are shown with a node or a cluster */

struct diary_entry {
	unsigned long number; /* 1, 2, 3, ... */
	struct note *note;
};

/* Zero-initialised: empty. Ended by diary_free(). */
struct diary {
	struct diary_entry entries[DIARY_ENTRIES]; /* a ring: number n is at n % DIARY_ENTRIES */
	unsigned long last; /* number of the newest entry; 0: there is none */
};

/* Adds the note as an entry, and owns it afterwards. */
void diary_add(struct diary *diary, struct note *note);

/* Returns the first entry behind `number`; NULL: none. `*missed`: entries between them have left the ring. */
const struct diary_entry *diary_next(const struct diary *diary, unsigned long number, bool *missed);

/*
 * Writes the key "events" into an open object: the last events about that node ("host:port"), or of that cluster, each
 * with what its triggers did, the oldest first.
 */
void diary_render_node(const struct diary *diary, const char *node, struct json *json);
void diary_render_cluster(const struct diary *diary, int cluster_id, struct json *json);
void diary_free(struct diary *diary);
