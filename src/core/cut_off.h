/*
 * Rule P7 in the fleet's state: the monitor is isolated, by its own network, from the servers. What is
 * kept in place by that, and what the time of it counts for afterwards. Who finds out that it is so is
 * the monitor. Pure.
 */
#pragma once

#include "core/fleet.h"

/* From now on no loss counts, until fleet_reconnect(), or until `isolation_grace` has passed. */
void fleet_cut_off(struct fleet *fleet, const struct moment *now);

/*
 * It is over. What failed meanwhile is forgotten, what failed before has lasted for none of that time
 * (P1, P2, P3, P5): each node is to be asked anew.
 */
void fleet_reconnect(struct fleet *fleet, const struct moment *now);

bool fleet_is_cut_off(const struct fleet *fleet);

/* When P7 ends to keep nodes in place, steady ms: INT64_MAX: with the isolation; INT64_MIN: it does not. */
int64_t fleet_cut_off_ends(const struct fleet *fleet);

/* Whether the fleet is cut off and losses count all the same: the grace has passed. */
bool fleet_acts_cut_off(const struct fleet *fleet, const struct moment *now);
