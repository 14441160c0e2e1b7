#include "monitor/gates.h"

void watches_add_gate(struct watches *all, const struct watch_gate *gate, void *data)
{
	all->gates[all->gate_count++] = (struct watch_gate_at){ gate, data };
}

bool gates_admit(struct watch *watch, const struct observation *seen, const struct watch_gate *last)
{
	const struct watches *all = watch->all;

	for (size_t i = 0; i < all->gate_count; i++) {
		const struct watch_gate_at *at = &all->gates[i];

		if (last == NULL && !at->gate->admits(at->data, watch, seen)) {
			watch->aside_of = at->gate;
			return false;
		}
		if (at->gate == last)
			last = NULL;
	}
	return true;
}

void gates_late(struct watch *watch)
{
	const struct watches *all = watch->all;

	for (size_t i = 0; i < all->gate_count; i++)
		all->gates[i].gate->late(all->gates[i].data, watch);
}

void gates_door_of_path(struct watch *watch)
{
	const struct watches *all = watch->all;

	for (size_t i = 0; i < all->gate_count; i++) {
		if (all->gates[i].gate->door_of_path != NULL)
			all->gates[i].gate->door_of_path(all->gates[i].data, watch);
	}
}

void gates_heard(struct watch *watch, const struct hearing *hearing)
{
	const struct watches *all = watch->all;

	for (size_t i = 0; i < all->gate_count; i++) {
		if (all->gates[i].gate->heard != NULL)
			all->gates[i].gate->heard(all->gates[i].data, watch, hearing);
	}
}

void gates_left(struct watch *watch)
{
	const struct watches *all = watch->all;

	for (size_t i = 0; i < all->gate_count; i++) {
		if (all->gates[i].gate->left != NULL)
			all->gates[i].gate->left(all->gates[i].data, watch);
	}
}
