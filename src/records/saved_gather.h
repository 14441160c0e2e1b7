/*
 * Gathers the parts of a saved state (saved_keys.h), in whatever order they come, into what saved_restore() takes:
 * clusters and nodes by their ids, so that the same parts give the same whole. Of any one thread.
 */
#pragma once

#include "core/saved.h"

struct saved_gather;

struct saved_gather *saved_gather_new(void);

/*
 * One part: its key, as saved_keys.h has it, and its text. One that is damaged, that names another key than its
 * own, or of which nobody knows what it is, is left out.
 */
void saved_gather_add(struct saved_gather *gather, const char *key, const char *text, size_t len);

/*
 * The whole, the caller's to free; the gathering ends. NULL: no part came, or with `*why` (the caller's), they cannot
 * be taken: of another format, or without their `state/meta`. Else `*why` says what was left out, or is NULL.
 */
struct saved *saved_gather_end(struct saved_gather **gather, char **why);
