/*
 * Messages of PostgreSQL's protocol 3.0, appended to a buffer as a server says them: a type, four bytes of length,
 * a body. Integers are in network order.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Begins a message; returns where it begins, for message_end(), which fills in its length. */
size_t message_begin(struct buf *out, char type);
void message_end(struct buf *out, size_t begin);

/* A whole message. */
void message_add(struct buf *out, char type, const void *body, size_t len);

/* An ErrorResponse. */
void message_add_error(struct buf *out, const char *severity, const char *sqlstate, const char *text);

/* Parts of a body; a text with its terminator. */
void add_int16(struct buf *out, unsigned value);
void add_int32(struct buf *out, uint32_t value);
void add_text(struct buf *out, const char *text);

/* Reads an integer of `bytes` bytes at `at` of a body; what lies behind its end is not read. */
uint32_t int_at(const char *body, size_t len, size_t at, size_t bytes);
