/* Reads how long something is to last, as people write it: "30m", "1h30m", "2d". Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Reads whole numbers, each with its unit (d, h, m, s), the greater ones first. Returns seconds, 1 to `most`; 0: it is
 * none of these, and `*why` says in what way.
 */
int64_t duration_read(const char *text, int64_t most, const char **why);
