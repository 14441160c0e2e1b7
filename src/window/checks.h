/* Health, for load balancers: 200 or 503, and in one line why. Window thread. */
#pragma once

#include "core/health.h"
#include "window/visit.h"

/* /live, /ready */
enum MHD_Result checks_answer_live(struct visit *visit);
enum MHD_Result checks_answer_ready(struct visit *visit);

/* What `word` ("primary", "replica", ...) asks of the node. */
enum MHD_Result checks_answer_node(struct visit *visit, const struct node_view *node, enum health health);

/* The address of the cluster's master. */
enum MHD_Result checks_answer_master(struct visit *visit, const struct view *cluster);

/*
 * Why no check can be answered by what was seen last: the monitor's loop does not turn, or nothing was seen, or it is
 * isolated and may not be. The caller's to free; NULL: it can.
 */
char *checks_lack(const struct facts *facts);
