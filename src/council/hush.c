#include "council/hush.h"

void hush_put(const struct hush *hush, unsigned long number, const struct silence *silence, bool is_end)
{
	struct missive *missive = missive_new(MISSIVE_SILENCE);

	missive->number = number;
	missive->flag = is_end;
	(void)silences_put(&missive->silences, silence);
	clerk_tell(hush->clerk, missive);
}

void hush_seed(const struct hush *hush, const struct silences *silences)
{
	struct missive *missive = missive_new(MISSIVE_SEED_SILENCES);

	for (size_t i = 0; i < silences->count; i++)
		(void)silences_put(&missive->silences, &silences->items[i]);
	clerk_tell(hush->clerk, missive);
}

void hush_take(const struct hush *hush, const struct missive *missive)
{
	if (missive->kind == MISSIVE_SILENCES)
		hush->events->read(hush->data, &missive->silences);
	else
		hush->events->done(hush->data, missive->number, missive->text);
}
