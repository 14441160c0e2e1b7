/*
 * When P1 begins to hold a node, node_held is told; while a round has moved nodes and told nobody yet: at its end.
 * Monitor thread.
 */
#pragma once

#include "monitor/founding.h"
#include "monitor/publisher.h"

/* After a look at a node; and after a round, for each node of its cluster. */
void holds_judge(struct publisher *publisher, const struct founding *founding, struct watch *watch,
		 const struct moment *now);
void holds_judge_all(struct publisher *publisher, const struct founding *founding, const struct cluster *cluster);
