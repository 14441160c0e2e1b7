/* Answers health checks of load balancers: 200 or 503, and one line that says why. Window thread. */
#pragma once

#include "core/health.h"
#include "window/visit.h"

/* /live, /ready */
enum MHD_Result checks_answer_live(struct visit *visit);
enum MHD_Result checks_answer_ready(struct visit *visit);

/* Answers whether the node is as `health` ("primary", "replica", ...) asks. */
enum MHD_Result checks_answer_node(struct visit *visit, const struct node_view *node, enum health health);

/* Answers with the address of the cluster's master. */
enum MHD_Result checks_answer_master(struct visit *visit, const struct view *cluster);

/*
 * Returns why no check can be answered: the monitor's loop does not turn, its first rounds are not over, or it is
 * isolated and the configuration asks for 503 then. The caller frees the text. NULL: checks can be answered.
 */
char *checks_lack(const struct facts *facts);
