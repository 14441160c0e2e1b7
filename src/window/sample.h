/*
 * Writes lines of Prometheus' text format 0.0.4: the head of a family, and its samples. A caller begins a sample with
 * its name, adds labels, and ends it with its value. Values of labels are escaped and become valid UTF-8. Any thread.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "core/meter.h"

/* Writes "# HELP" and "# TYPE", once for each family, before its samples. */
void sample_head(struct buf *out, const char *name, const char *type, const char *help);

/* Begins a sample; `suffix` is appended to its name. */
void sample_begin(struct buf *out, const char *name, const char *suffix);
void sample_label(struct buf *out, const char *key, const char *value);

/* Adds a label whose value is "host:port". */
void sample_label_address(struct buf *out, const char *key, const char *host, int port);
void sample_end_int(struct buf *out, int64_t value);

/* NAN is allowed, for a value that is not known. */
void sample_end_number(struct buf *out, double value);

/* Ends the sample with `ms` as seconds. */
void sample_end_ms(struct buf *out, int64_t ms);

/* Writes all samples of a histogram, in seconds. Each has the label `key` (NULL: none) besides its own. */
void sample_histogram(struct buf *out, const char *name, const char *key, const char *value,
		      const struct histogram *histogram);
