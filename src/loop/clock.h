/*
 * The clocks. Steady time is CLOCK_BOOTTIME (it goes on while the machine
 * sleeps); stamps are the wall clock at the monitor's start plus steady time.
 */
#pragma once

#include "core/observation.h"

struct clock {
	int64_t start_steady_ms;
	int64_t start_wall_ms;
};

void clock_start(struct clock *clock);
struct moment clock_now(const struct clock *clock);

/* CLOCK_BOOTTIME in ms. */
int64_t clock_steady_ms(void);

/* The wall clock in ms since the epoch. */
int64_t clock_wall_ms(void);
