#include "council/word.h"

#include <stdlib.h>

#include "base/mem.h"

struct word *word_new(enum word_kind kind)
{
	struct word *word = mem_zalloc(1, sizeof(*word));

	word->kind = kind;
	return word;
}

void word_free(struct word **word_p)
{
	struct word *word = *word_p;

	*word_p = NULL;
	if (word == NULL)
		return;
	commit_free(&word->commit);
	estate_free(&word->estate);
	free(word->text);
	free(word);
}
