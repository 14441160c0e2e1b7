/*
 * What the stand-ins' servers replicate: roles, the beats' table and its row, each shown by a slave so long after
 * its master wrote it. Pure: time is an argument, in ms of one steady clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/observation.h"

struct model {
	struct model *upstream; /* NULL: a master */
	struct list followers;
	int64_t lag_ms;         /* what its upstream shows, it shows so much later */
	bool has_table;
	bool has_row;
	struct row row;
	struct list coming; /* struct coming *, soonest first */
	int64_t system;  /* its system identifier, and when it started, us since the epoch */
	int64_t started;
	uint32_t timeline;
	char *facts; /* what check is told of it instead of the truth; NULL: the truth */
	char *shape; /* likewise, of its table */
};

/* A master takes a row in place of the one it has; its followers will show it. */
void model_write(struct model *model, const struct row *row, int64_t now_ms);

/* The table is made, here and downstream at once. */
void model_make_table(struct model *model);

/* The row that it shows now; NULL: none. Valid until the next call. */
const struct row *model_row(struct model *model, int64_t now_ms);

/* It replicates from `upstream` from now on, starting with what that has now. */
void model_follow(struct model *model, struct model *upstream, int64_t now_ms);

/* It is a master from now on, with all that had come to it. Its followers stay. */
void model_promote(struct model *model);

void model_clear(struct model *model);
