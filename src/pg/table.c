#include "pg/table.h"

#include "base/text.h"

void table_forget_pauses(struct table_known *table)
{
	pause_forget(&table->row_pause);
	pause_forget(&table->refused.pause);
	pause_forget(&table->alter_pause);
}

bool table_note_alter(struct table_known *table, bool refused, bool forbidden, int64_t now_ms)
{
	bool is_news = forbidden && !table->remarked;

	if (refused)
		pause_hear(&table->alter_pause, REASON_TABLE, "", now_ms);
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
	struct refused_beat *refused = &table->refused;

	if (result->state == BEAT_WRITTEN)
		pause_forget(&refused->pause);
	if (result->state != BEAT_LOCKED && result->state != BEAT_FAILED)
		return;
	pause_hear(&refused->pause, result->reason, result->message, now_ms);
	refused->missing = missing;
	refused->state = result->state;
	refused->reason = result->reason;
	text_copy(refused->message, sizeof(refused->message), result->message);
}

bool table_puts_off_beat(const struct table_known *table, bool missing, int64_t least_ms, int64_t now_ms,
			 struct beat_result *result)
{
	const struct refused_beat *refused = &table->refused;

	if (refused->missing != missing || pause_is_over(&refused->pause, least_ms, now_ms))
		return false;
	*result = (struct beat_result){ .state = refused->state, .reason = refused->reason };
	text_copy(result->message, sizeof(result->message), refused->message);
	return true;
}

void table_note_row(struct table_known *table, int64_t now_ms)
{
	if (!table->row_failed)
		pause_forget(&table->row_pause);
	else if (table->row_failure.reason != REASON_NONE)
		pause_hear(&table->row_pause, table->row_failure.reason, table->row_failure.message, now_ms);
}

bool table_puts_off_row(const struct table_known *table, int64_t least_ms, int64_t now_ms)
{
	return table->row_failed && table->row_failure.reason != REASON_NONE &&
	       !pause_is_over(&table->row_pause, least_ms, now_ms);
}
