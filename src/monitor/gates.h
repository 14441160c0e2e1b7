/*
 * What is seen of a node passes gates (watch_gate, node.h), one after another, before it is taken in. Monitor thread.
 */
#pragma once

#include "monitor/node.h"

/* Adds a gate behind the others. */
void watches_add_gate(struct watches *all, const struct watch_gate *gate, void *data);

/* Whether the gates behind `last` (NULL: all) admit it. One that does not is noted in the watch (aside_of). */
bool gates_admit(struct watch *watch, const struct observation *seen, const struct watch_gate *last);

/* Tell all gates; see watch_gate. */
void gates_late(struct watch *watch);
void gates_door_of_path(struct watch *watch);
void gates_heard(struct watch *watch, const struct hearing *hearing);
void gates_left(struct watch *watch);
