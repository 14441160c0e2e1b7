/* Who this monitor is, as it stands in etcd: at `lead` when it acts, and in its entry among the monitors. Monitor's loop. */
#pragma once

#include "core/config.h"
#include "core/likeness.h"

struct entry {
	char *name;
	char *host;
	char *instance; /* this process, as no other is called */
	char settings[LIKENESS_BYTES];
	int64_t start_ms; /* wall */
	size_t answering; /* nodes, */
	size_t not_answering;
};

/* Ended by entry_clear(). `start_ms`: wall, when this monitor began. */
void entry_begin(struct entry *entry, const struct config *config, int64_t start_ms);
void entry_clear(struct entry *entry);

/* One JSON object, the caller's: what stands at `lead`, and (`full`) in our entry. */
char *entry_describe(const struct entry *entry, bool full);
