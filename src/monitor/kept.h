/*
 * Tells of nodes that fail and keep their places: it fires node_held (P1) and master_unreachable (P6) once, when
 * that begins. Monitor thread.
 */
#pragma once

#include "monitor/founding.h"
#include "monitor/publisher.h"

struct kept {
	struct publisher *publisher;
	const struct founding *founding;
};

/* Tells of a node, unless its cluster's round has changes that were not told yet: kept_judge_all() follows then. */
void kept_judge(const struct kept *kept, struct watch *watch, const struct moment *now);
void kept_judge_all(const struct kept *kept, const struct cluster *cluster);
