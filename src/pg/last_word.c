#include "pg/last_word.h"

void word_answered(struct word *word)
{
	word->going = false;
}

void word_connected(struct word *word)
{
	word->stops = false;
}

void word_broke(struct word *word, const struct evidence *evidence)
{
	word->going = word->going || evidence->going;
	word->stops = evidence->going && evidence->stops;
}

struct evidence word_refused(struct word *word, const struct evidence *evidence, bool kept)
{
	struct evidence told = *evidence;

	if (told.untold && (kept || word->stops))
		told.reason = REASON_SHUTTING_DOWN;
	word->going = told.going || (word->going && !reason_is_a_refusal(told.reason));
	word->stops = told.reason == REASON_SHUTTING_DOWN;
	return told;
}
