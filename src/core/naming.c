#include "core/naming.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

#define FIRST_SLOTS 16

static struct bearer **slot_of(const struct naming *naming, uint32_t hash)
{
	return &naming->slots[hash & (naming->slot_count - 1)];
}

static void grow(struct naming *naming)
{
	struct naming larger = {
		.slot_count = naming->slot_count > 0 ? naming->slot_count * 2 : FIRST_SLOTS,
		.count = naming->count,
	};

	larger.slots = mem_zalloc(larger.slot_count, sizeof(struct bearer *));
	for (size_t i = 0; i < naming->slot_count; i++) {
		struct bearer *bearer;

		while ((bearer = naming->slots[i]) != NULL) {
			struct bearer **slot = slot_of(&larger, bearer->hash);

			naming->slots[i] = bearer->next;
			bearer->next = *slot;
			*slot = bearer;
		}
	}
	free(naming->slots);
	*naming = larger;
}

void naming_add(struct naming *naming, const char *name, struct node *node, bool is_id)
{
	struct bearer *bearer = mem_zalloc(1, sizeof(*bearer));
	struct bearer **slot;

	if (naming->count >= naming->slot_count)
		grow(naming);
	*bearer = (struct bearer){
		.name = name, .node = node, .is_id = is_id, .hash = hash32_text(HASH32_BEGIN, name),
	};
	slot = slot_of(naming, bearer->hash);
	bearer->next = *slot;
	*slot = bearer;
	naming->count++;
}

void naming_remove(struct naming *naming, const char *name, const struct node *node)
{
	struct bearer **at;

	if (naming->slot_count == 0)
		return;
	for (at = slot_of(naming, hash32_text(HASH32_BEGIN, name)); *at != NULL; at = &(*at)->next) {
		struct bearer *bearer = *at;

		if (bearer->node != node || strcmp(bearer->name, name) != 0)
			continue;
		*at = bearer->next;
		free(bearer);
		naming->count--;
		return;
	}
}

static const struct bearer *next_of(const struct bearer *bearer, uint32_t hash, const char *name)
{
	while (bearer != NULL && (bearer->hash != hash || strcmp(bearer->name, name) != 0))
		bearer = bearer->next;
	return bearer;
}

const struct bearer *naming_first(const struct naming *naming, const char *name)
{
	uint32_t hash;

	if (naming->slot_count == 0)
		return NULL;
	hash = hash32_text(HASH32_BEGIN, name);
	return next_of(*slot_of(naming, hash), hash, name);
}

const struct bearer *naming_next(const struct bearer *bearer)
{
	return next_of(bearer->next, bearer->hash, bearer->name);
}

void naming_free(struct naming *naming)
{
	for (size_t i = 0; i < naming->slot_count; i++) {
		struct bearer *bearer;

		while ((bearer = naming->slots[i]) != NULL) {
			naming->slots[i] = bearer->next;
			free(bearer);
		}
	}
	free(naming->slots);
	*naming = (struct naming){ 0 };
}
