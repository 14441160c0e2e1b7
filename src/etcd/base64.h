/*
 * Base64 as etcd's gateway wants and writes it: the standard alphabet, padded, in one piece. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Appends `len` bytes, encoded. */
void base64_add(struct buf *out, const void *bytes, size_t len);

/* Appends what `text` encodes; false, and nothing appended, when it is not base64. */
bool base64_read(struct buf *out, const char *text, size_t len);
