/*
 * An index from names to the nodes that bear them (bearers): ids and aliases (aliases.h), or servers and
 * origins (kin.h). It finds a name in constant time, however large the fleet is. A value: zero-initialised
 * it is empty, naming_free() ends it. Monitor thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node;

struct bearer {
	const char *name; /* the text given to naming_add(), whose owner keeps it until naming_remove() */
	struct node *node;
	bool is_id; /* its configured id; else an alias */
	uint32_t hash;
	struct bearer *next; /* in its slot */
};

struct naming {
	struct bearer **slots;
	size_t slot_count; /* a power of two, or 0 */
	size_t count;
};

/* Adds the node under `name`, which is not copied and must live until it is removed. */
void naming_add(struct naming *naming, const char *name, struct node *node, bool is_id);

/* Removes the node under `name`; does nothing when it does not bear that name. */
void naming_remove(struct naming *naming, const char *name, const struct node *node);

/* Return all that bear `name`, one after another, in no order; NULL: no more. Valid until the next change. */
const struct bearer *naming_first(const struct naming *naming, const char *name);
const struct bearer *naming_next(const struct bearer *bearer);
void naming_free(struct naming *naming);
