/*
 * Gathers the parts of a saved state (core/saved_keys.h), in whatever order they come, into what saved_restore() takes.
 * Clusters and nodes are sorted by their ids, so that the same parts always give the same state. Any one thread.
 */
#pragma once

#include "core/saved.h"

struct saved_gather;

struct saved_gather *saved_gather_new(void);

/*
 * Adds one part: its key, as in core/saved_keys.h, and its text. A part is left out that is damaged, whose text
 * belongs to another key, or whose key is unknown.
 */
void saved_gather_add(struct saved_gather *gather, const char *key, const char *text, size_t len);

/*
 * Ends the gathering. Returns the state, the caller's to free; `*why` (the caller's) says how much was left out, or is
 * NULL. Returns NULL when no part came; or, with `*why`, when the parts have another format, or no `state/meta`.
 */
struct saved *saved_gather_end(struct saved_gather **gather, char **why);
