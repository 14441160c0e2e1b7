#include "pg/table.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"

static struct table_refusals *refusals_of(struct table_known *table)
{
	if (table->refusals == NULL)
		table->refusals = mem_zalloc(1, sizeof(*table->refusals));
	return table->refusals;
}

void table_free(struct table_known *table)
{
	free(table->refusals);
	table->refusals = NULL;
}

const struct evidence *table_row_failure(const struct table_known *table)
{
	static const struct evidence none;

	return table->refusals != NULL ? &table->refusals->row_failure : &none;
}

void table_set_row_failure(struct table_known *table, const struct evidence *failure)
{
	if (failure != NULL)
		refusals_of(table)->row_failure = *failure;
	else if (table->refusals != NULL)
		evidence_clear(&table->refusals->row_failure);
}

bool table_refuses_beats(const struct table_known *table)
{
	return table->refusals != NULL && pause_is_set(&table->refusals->beat.pause);
}

bool table_may_alter(const struct table_known *table, int64_t least_ms, int64_t now_ms)
{
	return table->refusals == NULL || pause_is_over(&table->refusals->alter_pause, least_ms, now_ms);
}

void table_forget_pauses(struct table_known *table)
{
	if (table->refusals == NULL)
		return;
	pause_forget(&table->refusals->row_pause);
	pause_forget(&table->refusals->beat.pause);
	pause_forget(&table->refusals->alter_pause);
}

bool table_note_alter(struct table_known *table, bool refused, bool forbidden, int64_t now_ms)
{
	bool is_news = forbidden && !table->remarked;

	if (refused)
		pause_hear(&refusals_of(table)->alter_pause, REASON_TABLE, "", now_ms);
	table->remarked = table->remarked || forbidden;
	return is_news;
}

bool table_note_pool(struct table_known *table)
{
	bool is_news = !table->pool_told;

	table->pool_told = true;
	return is_news;
}

void table_note_beat(struct table_known *table, const struct beat_result *result, bool missing, int64_t now_ms)
{
	struct refused_beat *refused;

	if (result->state == BEAT_WRITTEN && table->refusals != NULL)
		pause_forget(&table->refusals->beat.pause);
	if (result->state != BEAT_LOCKED && result->state != BEAT_FAILED)
		return;
	refused = &refusals_of(table)->beat;
	pause_hear(&refused->pause, result->reason, result->message, now_ms);
	refused->missing = missing;
	refused->state = result->state;
	refused->reason = result->reason;
	text_copy(refused->message, sizeof(refused->message), result->message);
}

bool table_puts_off_beat(const struct table_known *table, bool missing, int64_t least_ms, int64_t now_ms,
			 struct beat_result *result)
{
	const struct refused_beat *refused;

	if (table->refusals == NULL)
		return false;
	refused = &table->refusals->beat;
	if (refused->missing != missing || pause_is_over(&refused->pause, least_ms, now_ms))
		return false;
	*result = (struct beat_result){ .state = refused->state, .reason = refused->reason };
	text_copy(result->message, sizeof(result->message), refused->message);
	return true;
}

void table_note_row(struct table_known *table, int64_t now_ms)
{
	const struct evidence *failure = table_row_failure(table);

	if (table->refusals == NULL)
		return;
	if (!table->row_failed)
		pause_forget(&table->refusals->row_pause);
	else if (failure->reason != REASON_NONE)
		pause_hear(&table->refusals->row_pause, failure->reason, failure->message, now_ms);
}

bool table_puts_off_row(const struct table_known *table, int64_t least_ms, int64_t now_ms)
{
	return table->row_failed && table->refusals != NULL && table->refusals->row_failure.reason != REASON_NONE &&
	       !pause_is_over(&table->refusals->row_pause, least_ms, now_ms);
}
