/*
 * Who bears which name: configured ids, and other monitors' names for masters (aliases). Both are
 * found by one index in constant time, however large the fleet is. A value: zero-initialised it is
 * empty, naming_free() ends it. Monitor thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node;

struct bearer {
	const char *name; /* the node's: it lives until naming_remove() */
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

/* `name` is not copied: it must live until it is removed. */
void naming_add(struct naming *naming, const char *name, struct node *node, bool is_id);

/* Nothing when `node` does not bear the name. */
void naming_remove(struct naming *naming, const char *name, const struct node *node);

/* One after another all that bear `name`, in no order; NULL: no more. Valid until the next change. */
const struct bearer *naming_first(const struct naming *naming, const char *name);
const struct bearer *naming_next(const struct bearer *bearer);
void naming_free(struct naming *naming);
