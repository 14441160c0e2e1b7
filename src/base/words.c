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
		return; /* they are these already */
	copy = mem_strndup(text, len); /* before the old ones are freed: `text` may be of them */
	words_forget(words);
	*words = copy;
}
