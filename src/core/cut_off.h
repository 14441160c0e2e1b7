/*
 * Rule P7 in the fleet's state: the monitor is isolated (cut off from the servers by its own network), so
 * nodes that fail keep their places, and the time of the isolation does not count afterwards. The monitor
 * finds out that it is isolated and calls these functions. Pure.
 */
#pragma once

#include "core/fleet.h"

/* Begins the isolation: no loss counts until fleet_reconnect(), or until `isolation_grace` has passed. */
void fleet_cut_off(struct fleet *fleet, const struct moment *now);

/*
 * Ends the isolation. Failures that began in it are forgotten; those that began before are shortened by its
 * length (P1, P2, P3, P5). The caller asks each node anew.
 */
void fleet_reconnect(struct fleet *fleet, const struct moment *now);

bool fleet_is_cut_off(const struct fleet *fleet);

/* Returns when P7 ceases to keep nodes in place, steady ms. INT64_MAX: with the isolation; INT64_MIN: there is none. */
int64_t fleet_cut_off_ends(const struct fleet *fleet);

/* Whether losses count although the monitor is isolated, because the grace has passed. */
bool fleet_acts_cut_off(const struct fleet *fleet, const struct moment *now);
