#include "base/shared_text.h"

#include <stdlib.h>

#include "base/mem.h"

struct shared_text *shared_text_take(struct buf *buf)
{
	struct shared_text *text = mem_zalloc(1, sizeof(*text));

	text->references = 1;
	text->len = buf->len;
	text->data = buf_steal(buf);
	return text;
}

struct shared_text *shared_text_ref(struct shared_text *text)
{
	text->references++;
	return text;
}

void shared_text_unref(struct shared_text **text_p)
{
	struct shared_text *text = *text_p;

	*text_p = NULL;
	if (text == NULL || --text->references > 0)
		return;
	free(text->data);
	free(text);
}
