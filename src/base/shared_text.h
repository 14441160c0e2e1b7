/*
 * A text that several hold at once and nobody changes: counted, freed with its last
 * reference. All who hold one are of the same thread.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"

struct shared_text {
	unsigned references;
	size_t len; /* bytes, without the terminator */
	char *data; /* terminated */
};

/* Takes the buffer's text, with one reference, the caller's; the buffer is empty afterwards. */
struct shared_text *shared_text_take(struct buf *buf);

struct shared_text *shared_text_ref(struct shared_text *text);

/* NULL allowed; clears the pointer. */
void shared_text_unref(struct shared_text **text);
