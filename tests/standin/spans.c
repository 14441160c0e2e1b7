#include "standin/spans.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "base/mem.h"

#define QUIET_NS 50000000u
#define KEPT_MOST 1000000

struct kept {
	uint32_t *us;
	size_t count;
	size_t cap;
};

static struct span farm;
static struct kept of_farm;
static struct kept of_clusters;

static void keep(struct kept *kept, const struct span *span)
{
	if (span->began_ns == 0 || kept->count == KEPT_MOST)
		return;
	if (kept->count == kept->cap) {
		kept->cap = kept->cap > 0 ? kept->cap * 2 : 64;
		kept->us = mem_grow(kept->us, kept->cap, sizeof(*kept->us));
	}
	kept->us[kept->count++] = (uint32_t)((span->last_ns - span->began_ns) / 1000);
}

static void come(struct span *span, struct kept *kept, uint64_t now_ns)
{
	if (now_ns - span->last_ns > QUIET_NS) {
		keep(kept, span);
		span->began_ns = now_ns;
	}
	span->last_ns = now_ns;
}

void span_come(struct span *span)
{
	uint64_t now_ns = uv_hrtime();

	come(span, &of_clusters, now_ns);
	come(&farm, &of_farm, now_ns);
}

void span_answered(struct span *span)
{
	span->last_ns = farm.last_ns = uv_hrtime();
}

static int compare(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a;
	uint32_t right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static void print(const char *of, struct kept *kept)
{
	size_t count = kept->count;

	if (count > 0)
		qsort(kept->us, count, sizeof(*kept->us), compare);
	(void)printf(" %s %zu %u %u %u", of, count, count > 0 ? kept->us[0] : 0, count > 0 ? kept->us[count / 2] : 0,
		     count > 0 ? kept->us[count - 1] : 0);
	kept->count = 0;
}

void spans_print(void)
{
	(void)printf("rounds");
	print("farm", &of_farm);
	print("clusters", &of_clusters);
	(void)printf("\n");
}
