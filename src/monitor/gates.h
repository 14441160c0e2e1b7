/*
 * The gates that what is seen of a node passes before it is taken in, one after another (watch_gate, node.h). Monitor
 * thread.
 */
#pragma once

#include "monitor/node.h"

/* One more gate, behind the others. */
void watches_add_gate(struct watches *all, const struct watch_gate *gate, void *data);

/* Whether the gates behind `last` (NULL: all) admit it; one that does not is noted, as it may have put it aside. */
bool gates_admit(struct watch *watch, const struct observation *seen, const struct watch_gate *last);

/* What else they are told: see watch_gate. */
void gates_late(struct watch *watch);
void gates_door_of_path(struct watch *watch);
void gates_heard(struct watch *watch, const struct hearing *hearing);
void gates_left(struct watch *watch);
