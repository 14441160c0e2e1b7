/*
 * A commit: keys with their new texts, and keys that are deleted, which are all written or none. The monitor's thread
 * makes it; the clerk's thread, which is given it, owns it from then on and writes it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct commit_put {
	char *key;  /* without the prefix: "state/node/db1:5432" */
	char *text; /* any bytes, and a terminator; NULL: the key is deleted */
	size_t len; /* of the text */
};

struct commit {
	unsigned long number; /* the caller's; higher than that of the commit before */
	int64_t term;         /* the term in which it was made: it is written in that, or never */
	char *meta;           /* what `state/meta` holds when it is written: one JSON object */
	struct list puts;     /* struct commit_put *, one for each key */
	size_t bytes;         /* of keys and texts */
};

/* Takes `meta` over. */
struct commit *commit_new(unsigned long number, char *meta);

/*
 * Copies the key; takes the text over (NULL: the key is deleted). A later text of the same key replaces the earlier
 * one.
 */
void commit_put(struct commit *commit, const char *key, char *text);

/* The same for bytes that are no text; the byte behind the last one is a terminator. */
void commit_put_bytes(struct commit *commit, const char *key, char *bytes, size_t len);

/* NULL allowed; clears the pointer. */
void commit_free(struct commit **commit);
