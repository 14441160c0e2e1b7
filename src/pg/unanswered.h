/*
 * What it means that a node has not answered, while a task is under way or at its end. Pure but for a
 * look at the kept connection's socket.
 */
#pragma once

#include "pg/dial.h"
#include "pg/lane.h"

/* How the node's connections stand. */
struct unanswered {
	const struct lane *kept;       /* NULL: none */
	const struct lane *fresh;      /* one that stands beside it; NULL: none */
	const struct dial *dial;       /* one that is being made; NULL: none */
	const struct shut_door *door;  /* a fresh one has failed in this task; NULL: none has */
	int64_t query_timeout_ms;
};

/*
 * Whether the host's TCP is silent, too, while the task is under way (P7): what was sent over the kept connection is
 * not acknowledged, and no connect was answered. A frozen server's kernel acknowledges, and answers a connect.
 */
bool unanswered_is_of_path(struct unanswered unanswered);

/*
 * The evidence of a node that has not answered, at the end of its time; `path`: no connect was answered. Where a
 * fresh connection beside the kept one has failed, or one of several addresses, that failure is the evidence: it tells
 * more than silence.
 */
struct evidence unanswered_evidence(struct unanswered unanswered);
