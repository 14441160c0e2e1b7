/*
 * GET /metrics: Prometheus' text format (version 0.0.4), written in parts, so that 5,000 nodes do not hold the thread
 * that answers: other connections have their turn between two of them. All samples of a family stand together, so it is
 * one way through the fleet after another, each linear; all of one answer are of one pane.
 *
 *	metrics_begin(&reader, pane, meters, steady now);
 *	while (metrics_read(&reader, &out, 65536))
 *		... send and empty `out` ...
 *	... send `out` ...
 *	metrics_end(&reader);
 *
 * What is not in a pane is read from meters (core/meters.h) when its family is written. Of one thread.
 */
#pragma once

#include "window/families.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct metrics_reader {
	struct pane *pane; /* a reference */
	struct families_source source;
	const struct family *family; /* that is under way, or begins next */
	bool is_under_way;
	char name[64];           /* its whole name */
	struct view_walk walk;   /* through the cluster (or the clusterless nodes) that is under way; its view NULL: all are written */
};

/* Takes a reference of `pane`; `meters` outlive the reader. `now_ms`: steady (loop/clock.h). */
void metrics_begin(struct metrics_reader *reader, struct pane *pane, const struct meters *meters, int64_t now_ms);

/* Appends whole samples, about `bytes` of them, or all that is left. False: nothing is left. */
bool metrics_read(struct metrics_reader *reader, struct buf *out, size_t bytes);

/* At any time after metrics_begin(), once. */
void metrics_end(struct metrics_reader *reader);
