/*
 * Writes the answer to GET /metrics in Prometheus' text format (version 0.0.4). It is written in parts, so that 5,000
 * nodes do not hold the thread that answers: it serves other connections between two parts. All samples of a family
 * stand together, so each family takes one linear walk through the fleet. One answer reads one pane.
 *
 *	metrics_begin(&reader, pane, meters, steady now);
 *	while (metrics_read(&reader, &out, 65536))
 *		... send and empty `out` ...
 *	... send `out` ...
 *	metrics_end(&reader);
 *
 * What is not in a pane is read from meters (core/meters.h) when its family is written. One thread uses a reader.
 */
#pragma once

#include "window/families.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct metrics_reader {
	struct pane *pane; /* a reference */
	struct families_source source;
	const struct family *family; /* the family that is being written, or comes next */
	bool is_under_way;       /* `family` has begun */
	char name[64];           /* the family's name with "plusmoin_" */
	struct view_walk walk;   /* through a cluster, or the clusterless nodes; view NULL: all are written */
};

/* Begins an answer. Takes a reference of `pane`; `meters` must outlive the reader. `now_ms` is steady time. */
void metrics_begin(struct metrics_reader *reader, struct pane *pane, const struct meters *meters, int64_t now_ms);

/* Appends whole samples until about `bytes` are written. Returns false when nothing is left. */
bool metrics_read(struct metrics_reader *reader, struct buf *out, size_t bytes);

/* Must be called once after metrics_begin(), also before the answer is complete. */
void metrics_end(struct metrics_reader *reader);
