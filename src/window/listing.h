/* Answers requests for clusters and nodes, in JSON. Window thread. */
#pragma once

#include "window/visit.h"

enum MHD_Result listing_answer_all(struct visit *visit);

/* Answer a path; `rest` is what follows "/clusters/" or "/nodes/". */
enum MHD_Result listing_answer_cluster(struct visit *visit, const char *rest);
enum MHD_Result listing_answer_node(struct visit *visit, const char *rest);

/* Whether what follows "/nodes/" asks for a node's health. */
bool listing_is_check(const char *rest);
