/*
 * Lines of Prometheus' text format 0.0.4: the head of a family, and its samples, each begun by its name, then its labels,
 * ended by its value. What users wrote is escaped, and is valid UTF-8. Any thread.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "core/meter.h"

/* "# HELP" and "# TYPE": once a family, before its samples. */
void sample_head(struct buf *out, const char *name, const char *type, const char *help);

/* Begins a sample, whose name ends with `suffix` ("": with nothing). */
void sample_begin(struct buf *out, const char *name, const char *suffix);
void sample_label(struct buf *out, const char *key, const char *value);

/* The same of "host:port". */
void sample_label_address(struct buf *out, const char *key, const char *host, int port);
void sample_end_int(struct buf *out, int64_t value);

/* NAN allowed: nobody knows. */
void sample_end_number(struct buf *out, double value);

/* Milliseconds, as seconds. */
void sample_end_ms(struct buf *out, int64_t ms);

/* All samples of a histogram, in seconds; each with the label `key` (NULL: none) besides its own. */
void sample_histogram(struct buf *out, const char *name, const char *key, const char *value,
		      const struct histogram *histogram);
