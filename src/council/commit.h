/*
 * What is written in one piece: keys with their new texts, or that go. The monitor's thread makes it; the clerk's thread
 * writes it, and owns it from then on.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct commit_put {
	char *key;  /* behind the prefix: "state/node/db1:5432" */
	char *text; /* NULL: the key goes */
};

struct commit {
	unsigned long number; /* they rise; the caller's */
	int64_t term;         /* under which it was made: it stands under that, or never */
	char *meta;           /* what `state/meta` holds with it: one JSON object */
	struct list puts;     /* struct commit_put *; no key stands there twice */
	size_t bytes;         /* of keys and texts */
};

struct commit *commit_new(unsigned long number, char *meta);

/* Copies the key; takes the text over (NULL: the key goes). A key that is there already gets this text. */
void commit_put(struct commit *commit, const char *key, char *text);

/* NULL allowed; clears the pointer. */
void commit_free(struct commit **commit);
