/* The headcount tells the council, once a second, how many nodes answer. People read it. Monitor's loop. */
#pragma once

#include <uv.h>

#include "council/council.h"
#include "monitor/monitor.h"

struct headcount;

/* The monitor is `*monitor` at that moment; NULL there: nothing is counted. */
struct headcount *headcount_new(uv_loop_t *loop, struct council *council, struct monitor *const *monitor);

/* NULL allowed; clears the pointer. */
void headcount_free(struct headcount **headcount);
