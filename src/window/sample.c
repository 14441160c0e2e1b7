#include "window/sample.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

void sample_head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void sample_begin(struct buf *out, const char *name, const char *suffix)
{
	buf_add_str(out, name);
	buf_add_str(out, suffix);
}

/* Whether the sample has a label already: a label's value ends with a quote, a name does not. */
static bool has_labels(const struct buf *out)
{
	return out->len > 0 && out->data[out->len - 1] == '"';
}

static bool escape(struct buf *out, const unsigned char *at)
{
	switch (*at) {
	case '\\':
		buf_add_str(out, "\\\\");
		return true;
	case '"':
		buf_add_str(out, "\\\"");
		return true;
	case '\n':
		buf_add_str(out, "\\n");
		return true;
	default:
		return false;
	}
}

static void begin_label(struct buf *out, const char *key)
{
	buf_add_char(out, has_labels(out) ? ',' : '{');
	buf_add_str(out, key);
	buf_add_str(out, "=\"");
}

void sample_label(struct buf *out, const char *key, const char *value)
{
	begin_label(out, key);
	text_add_valid(out, value, strlen(value), escape);
	buf_add_char(out, '"');
}

void sample_label_address(struct buf *out, const char *key, const char *host, int port)
{
	begin_label(out, key);
	text_add_valid(out, host, strlen(host), escape);
	buf_addf(out, ":%d\"", port);
}

static void end_labels(struct buf *out)
{
	if (has_labels(out))
		buf_add_char(out, '}');
	buf_add_char(out, ' ');
}

void sample_end_int(struct buf *out, int64_t value)
{
	end_labels(out);
	buf_addf(out, "%" PRId64 "\n", value);
}

void sample_end_number(struct buf *out, double value)
{
	end_labels(out);
	if (isnan(value))
		buf_add_str(out, "NaN\n");
	else
		buf_addf(out, "%.15g\n", value);
}

void sample_end_ms(struct buf *out, int64_t ms)
{
	sample_end_number(out, (double)ms / 1000.0);
}

static void begin_labelled(struct buf *out, const char *name, const char *suffix, const char *key, const char *value)
{
	sample_begin(out, name, suffix);
	if (key != NULL)
		sample_label(out, key, value);
}

/*
 * Each bucket counts those of the smaller buckets, too. The monitor's thread may add a duration while this is written:
 * then the sum has one more or less than the buckets.
 */
void sample_histogram(struct buf *out, const char *name, const char *key, const char *value,
		      const struct histogram *histogram)
{
	const struct histogram_bounds *bounds = histogram->bounds;
	uint64_t count = 0;
	char bound[32];

	for (size_t i = 0; i <= bounds->count; i++) {
		count += counter_read(&histogram->counts[i]);
		if (i < bounds->count)
			(void)snprintf(bound, sizeof(bound), "%g", (double)bounds->us[i] / 1e6);
		begin_labelled(out, name, "_bucket", key, value);
		sample_label(out, "le", i < bounds->count ? bound : "+Inf");
		sample_end_int(out, (int64_t)count);
	}
	begin_labelled(out, name, "_sum", key, value);
	sample_end_number(out, (double)counter_read(&histogram->sum_us) / 1e6);
	begin_labelled(out, name, "_count", key, value);
	sample_end_int(out, (int64_t)count);
}
