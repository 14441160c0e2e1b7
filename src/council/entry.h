/*
 * What this monitor says of itself in etcd: in `lead` when it acts, and in its entry among the monitors. Monitor's
 * loop.
 */
#pragma once

#include "core/config.h"
#include "core/likeness.h"
#include "system/birth.h"

struct entry {
	char *name;
	char *host;
	char *instance; /* a name of this process that no other process has */
	char birth[BIRTH_BYTES]; /* of this process (system/birth.h) */
	char settings[LIKENESS_BYTES];
	int64_t start_ms; /* wall */
	size_t answering;     /* how many nodes answer */
	size_t not_answering; /* how many nodes do not */
};

/* Ended by entry_clear(). `start_ms`: wall, when this monitor began. */
void entry_begin(struct entry *entry, const struct config *config, int64_t start_ms);
void entry_clear(struct entry *entry);

/* Makes the entry say the settings of another configuration; false: they are what it says already. */
bool entry_take_config(struct entry *entry, const struct config *config);

/* The value of `lead`, or (`full`) that of our entry: one JSON object, the caller's. */
char *entry_describe(const struct entry *entry, bool full);
