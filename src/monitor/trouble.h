/*
 * What the log is told of a node that fails: a line when what fails is another thing than before, and one
 * when it ends. Monitor thread.
 */
#pragma once

#include "core/fleet.h"

/* What of a failing node failed last, as the log words it. */
enum failing { FAILING_NOT, FAILING_ANSWER, FAILING_QUESTION, FAILING_FRESH, FAILING_BEAT, FAILING_TWIN };

/* Zero-initialised: nothing was told. */
struct trouble {
	enum failing failing;       /* as the log was told, last time */
	bool told_error;            /* since it began to fail, an error was told */
	bool told_unheard[REASONS]; /* before it has ever answered: why it fails, each told once as an error */
};

/*
 * After a look at the node; `heard`: it had answered before this look. Whether it fails now and did not, or the
 * other way round.
 */
bool trouble_tell(struct trouble *trouble, const struct node *node, bool heard);
