/* GET /metrics: gives what metrics.h writes to who asks, a part whenever the connection takes more. Window thread. */
#pragma once

#include "window/visit.h"

enum MHD_Result scrape_answer(struct visit *visit);
