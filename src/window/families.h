/*
 * The families of /metrics: a row for each, with its name, type and help, and what writes its samples from what is
 * shown. Written from a pane and from meters alone: nobody is asked. Of the window's thread, or any other.
 */
#pragma once

#include "core/meters.h"
#include "window/pane.h"

/* From what the samples are written; of one answer. */
struct families_source {
	const struct pane *pane;
	const struct meters *meters;
	int64_t now_ms;     /* steady */
	size_t descriptors; /* in use */
};

/* Of what there are samples: of the daemon, of each cluster, of each node. */
enum family_scope { FAMILY_FLEET, FAMILY_CLUSTER, FAMILY_NODE };

struct family {
	const char *name; /* without "plusmoin_" */
	const char *type;
	const char *help;
	enum family_scope scope;
	/* Its samples, by its scope: one of these. `name` is the whole one. */
	void (*fleet)(const struct families_source *source, const char *name, struct buf *out);
	void (*cluster)(const struct view *view, const char *name, struct buf *out);
	void (*node)(const struct families_source *source, const struct node_view *node, const char *name,
		     struct buf *out);
};

/* In the order in which they are written; a family without a name is the last. */
extern const struct family families_all[];
