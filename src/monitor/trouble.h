/*
 * Tells the log of a node that fails: a line when what fails is another thing than before, and one when the
 * node answers again. Monitor thread.
 */
#pragma once

#include "core/fleet.h"

/* What of a failing node failed last, as the log words it. */
enum failing { FAILING_NOT, FAILING_ANSWER, FAILING_QUESTION, FAILING_FRESH, FAILING_BEAT, FAILING_TWIN };

/* Zero-initialised: nothing was told. */
struct trouble {
	enum failing failing;       /* what the log was told last */
	bool told_error;            /* an error was logged since the node began to fail */
	bool told_unheard[REASONS]; /* reasons that were logged as errors before the node has ever answered */
};

/*
 * Tells the log what a look at the node has changed; `heard`: it had answered before this look. Returns whether
 * the node has begun, or ceased, to fail.
 */
bool trouble_tell(struct trouble *trouble, const struct node *node, bool heard);
