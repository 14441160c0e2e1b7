/*
 * The set of the parts of the saved state (saved_keys.h) that may differ from what was stored last: nodes and clusters
 * by their ids, each once, in the order in which they were named. Naming one costs the same however many there are; the
 * text of a part is made when it is taken. The set holds ids, no pointers, so nodes may leave meanwhile. It is NULL
 * where nobody stores parts, and naming one does nothing then. Pure; monitor thread.
 */
#pragma once

#include "core/changes.h"
#include "core/saved_keys.h"

struct unsaved;

/* Makes an empty set. */
struct unsaved *unsaved_new(void);

/* NULL allowed; clears the pointer. */
void unsaved_free(struct unsaved **set);

/* Name the part of this node, or of this cluster. If it is not there any more, its key is removed when it is taken. */
void unsaved_node(struct unsaved *set, const char *id);
void unsaved_cluster(struct unsaved *set, int id);

/* Names the parts that a change touches: its node's, and those of the clusters that the node left and joined. */
void unsaved_change(struct unsaved *set, const struct change *change);

/* Names each part that the fleet has. Called before the first storing, and after a reload. */
void unsaved_all(struct unsaved *set, const struct fleet *fleet);

/*
 * Names stored parts (`saved`; NULL: none is stored), because the fleet may have no such part: all of them, or, if
 * `config` is not NULL, only those of nodes that it does not have.
 */
void unsaved_stored(struct unsaved *set, const struct saved *saved, const struct config *config);

/* Returns how many parts are named. */
size_t unsaved_count(const struct unsaved *set);

/*
 * Takes at most `max` of them out of the set, those named first, and calls `part` with the key and the text as it is
 * now; text NULL: the key is to be removed. Both live for the call. Returns how many were taken.
 */
size_t unsaved_take(struct unsaved *set, const struct fleet *fleet, const struct moment *now, size_t max,
		    void (*part)(void *data, const char *key, const char *text), void *data);

/* Empties the set. Called when this monitor does not store the state any more, but another one does. */
void unsaved_clear(struct unsaved *set);
