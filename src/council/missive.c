#include "council/missive.h"

#include <stdlib.h>

#include "base/mem.h"

struct missive *missive_new(enum missive_kind kind)
{
	struct missive *missive = mem_zalloc(1, sizeof(*missive));

	missive->kind = kind;
	return missive;
}

void missive_free(struct missive **missive_p)
{
	struct missive *missive = *missive_p;

	*missive_p = NULL;
	if (missive == NULL)
		return;
	commit_free(&missive->commit);
	estate_free(&missive->estate);
	silences_free(&missive->silences);
	free(missive->text);
	free(missive->key);
	free(missive);
}
