/* Answers GET /metrics with what metrics.h writes, a part whenever the connection takes more. Window thread. */
#pragma once

#include "window/visit.h"

enum MHD_Result scrape_answer(struct visit *visit);
