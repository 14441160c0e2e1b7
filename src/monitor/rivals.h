/*
 * Rivals are two masters of one origin (core/dispute.h). A node that may be one of two is asked anew at once. The
 * event split_brain waits until rounds that are open have told what they changed (rule T4: after cluster_created).
 * The log is reminded once a minute. Monitor thread.
 */
#pragma once

#include "core/dispute.h"
#include "monitor/founding.h"
#include "monitor/publisher.h"

/* The monitor owns it, and all that it points to but the timer. */
struct rivals {
	const struct founding *founding;
	struct clusters *clusters;
	struct publisher *publisher;
	struct timer *timer;
	bool is_soon; /* the timer is set for what cannot wait for the next reminder */
	int64_t reminded_ms; /* steady: when the log was last told that a dispute is there */
};

void rivals_open(struct rivals *rivals, const struct founding *founding, struct clusters *clusters,
		 struct publisher *publisher);
void rivals_close(struct rivals *rivals);

/* A look at the node has ended: the node has observed it. */
void rivals_saw(struct rivals *rivals, struct node *node, const struct moment *now);
