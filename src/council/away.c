#include "council/away.h"

#include <stdlib.h>

#include "base/mem.h"

const char *away_words(const struct away *away)
{
	for (int side = AWAY_SIDES - 1; side >= 0; side--) { /* the last of the enum matters most */
		if (away->words[side] != NULL)
			return away->words[side];
	}
	return NULL;
}

bool away_take(struct away *away, enum away_side side, const char *words)
{
	bool is_away;

	free(away->words[side]);
	away->words[side] = mem_strdup(words);
	is_away = away_words(away) != NULL;
	if (is_away == away->told)
		return false;
	away->told = is_away;
	return true;
}

void away_free(struct away *away)
{
	for (int side = 0; side < AWAY_SIDES; side++)
		free(away->words[side]);
	*away = (struct away){ 0 };
}
