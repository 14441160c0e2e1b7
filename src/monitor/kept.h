/*
 * What is told of nodes that fail and keep their places: node_held (P1) and master_unreachable (P6), when they
 * begin, once. Monitor thread.
 */
#pragma once

#include "monitor/founding.h"
#include "monitor/publisher.h"

struct kept {
	struct publisher *publisher;
	const struct founding *founding;
};

/* Not while a round has moved nodes and told nobody yet: then at its end, of all members of its cluster. */
void kept_judge(const struct kept *kept, struct watch *watch, const struct moment *now);
void kept_judge_all(const struct kept *kept, const struct cluster *cluster);
