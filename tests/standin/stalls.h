/*
 * Times in which the loop of all servers did not turn: this machine had no processor for it. To a client its servers
 * were silent then, whatever the script says.
 */
#pragma once

#include <stdint.h>
#include <uv.h>

/*
 * Prints a line "stall END MS" for each time since this was last called in which the loop stood still for at least
 * `least_ms` ms: when it ended, in ms since the epoch, and how long it was. The first call begins to look.
 */
void stalls_print(uv_loop_t *loop, uint64_t least_ms);
