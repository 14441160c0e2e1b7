#include "base/words.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

char words_none[] = "";

void words_forget(char **words)
{
	if (*words != words_none)
		free(*words);
	*words = words_none;
}

void words_keep(char **words, const char *text, size_t size)
{
	char *copy;
	size_t len;

	if (text == NULL || text[0] == '\0') {
		words_forget(words);
		return;
	}
	len = text_cut(text, size - 1);
	if (strncmp(*words, text, len) == 0 && (*words)[len] == '\0')
		return; /* the same text is kept already */
	copy = mem_strndup(text, len); /* before the old text is freed, because `text` may lie in it */
	words_forget(words);
	*words = copy;
}
