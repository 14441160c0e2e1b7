#include "pg/mend.h"

/* Whether a beat that was not tried yet has to wait; it then gets the outcome of the last one. */
static bool is_put_off(struct findings *found, const struct mend_terms *terms)
{
	struct beat_progress *beat = &found->beat;

	return !beat->tried && !terms->at_stake &&
	       table_puts_off_beat(found->table, beat->table_missing, terms->least_ms, terms->now_ms, &beat->result);
}

/* Whether the table wants a REPLICA IDENTITY that it may get. */
static bool wants_identity(const struct findings *found, const struct mend_terms *terms)
{
	return found->beat.no_identity && !found->table->remarked &&
	       table_may_alter(found->table, terms->least_ms, terms->now_ms);
}

enum mend mend_next(struct findings *found, const struct mend_terms *terms)
{
	const struct beat_progress *beat = &found->beat;
	bool written = beat->result.state == BEAT_WRITTEN;

	if (terms->repeats >= MEND_REPEATS || beat->may_not || is_put_off(found, terms))
		return MEND_NOTHING;
	if (beat->table_missing && !beat->checked)
		return MEND_BEAT; /* it has vanished: whether it may be made is asked first */
	if (beat->table_missing || wants_identity(found, terms))
		return written ? MEND_IDENTITY : MEND_TABLE;
	if (!beat->tried)
		return MEND_BEAT;
	return beat->transient && !written ? MEND_AGAIN : MEND_NOTHING;
}
