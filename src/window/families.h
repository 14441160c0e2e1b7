/*
 * The families of /metrics: a row for each, with its name, type and help, and the function that writes its samples. The
 * functions read a pane and meters alone, and wait for nothing. Any thread.
 */
#pragma once

#include "core/meters.h"
#include "window/pane.h"

/* What the samples of one answer are written from. */
struct families_source {
	const struct pane *pane;
	const struct meters *meters;
	int64_t now_ms;     /* steady */
	size_t descriptors; /* in use */
};

/* Whether a family has samples of the daemon, of each cluster, or of each node. */
enum family_scope { FAMILY_FLEET, FAMILY_CLUSTER, FAMILY_NODE };

struct family {
	const char *name; /* without "plusmoin_" */
	const char *type;
	const char *help;
	enum family_scope scope;
	/* One of these is set, by the scope: it writes the samples. `name` is the name with "plusmoin_". */
	void (*fleet)(const struct families_source *source, const char *name, struct buf *out);
	void (*cluster)(const struct view *view, const char *name, struct buf *out);
	void (*node)(const struct families_source *source, const struct node_view *node, const char *name,
		     struct buf *out);
};

/* All families, in the order in which they are written; one without a name ends the list. */
extern const struct family families_all[];
