/*
 * Which parts of the saved state (saved_keys.h) may differ from what was stored last: nodes and clusters by their
 * ids, each once, in the order in which they were named. Naming one costs the same however many there are; what a
 * part holds is looked at when it is taken. It knows no node by its address, so nodes may leave meanwhile. Where
 * the set is NULL nobody stores parts, and naming one does nothing. Pure; monitor thread.
 */
#pragma once

#include "core/changes.h"
#include "core/saved_keys.h"

struct unsaved;

/* An empty set. */
struct unsaved *unsaved_new(void);

/* NULL allowed; clears the pointer. */
void unsaved_free(struct unsaved **set);

/* The part of this node, of this cluster, may differ; also of one that is there no more: its key goes then. */
void unsaved_node(struct unsaved *set, const char *id);
void unsaved_cluster(struct unsaved *set, int id);

/* The parts that a change touches: its node's, and those of the clusters that the node left and is in. */
void unsaved_change(struct unsaved *set, const struct change *change);

/* Each part that the fleet has: for the first time, and after a reload. */
void unsaved_all(struct unsaved *set, const struct fleet *fleet);

/*
 * Parts that are stored (`saved`; NULL: none is) and may be none of the fleet's: all of them, or (`config` not NULL) those of
 * nodes that it does not have.
 */
void unsaved_stored(struct unsaved *set, const struct saved *saved, const struct config *config);

/* How many parts are named. */
size_t unsaved_count(const struct unsaved *set);

/*
 * Takes at most `max` of them out of the set, who were named first, and calls `part` with the key and its text
 * as it is now; text NULL: the key is to go. Both live for the call. Returns how many were taken.
 */
size_t unsaved_take(struct unsaved *set, const struct fleet *fleet, const struct moment *now, size_t max,
		    void (*part)(void *data, const char *key, const char *text), void *data);

/* Nothing is to be stored any more: others do. */
void unsaved_clear(struct unsaved *set);
