/*
 * Text from outside, made safe to keep and to show: fixed-size copies that end
 * at a character, valid UTF-8, escaped control characters.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * The length in bytes of the valid UTF-8 character at `text`, 0 when there is
 * none within `len` bytes (overlong forms and surrogates are not valid).
 */
size_t text_char_len(const char *text, size_t len);

/* Whether both are NULL, or the same text. */
bool text_same(const char *a, const char *b);

/* Copies `text` into `out`, cut at a character so that it fits; NULL gives "". */
void text_copy(char *out, size_t size, const char *text);

/* How many of the first `most` bytes of `text` are left when it is cut there at a character. */
size_t text_cut(const char *text, size_t most);

/* Appends `text` for one line of a log: control characters escaped, invalid UTF-8 as U+FFFD. */
void text_add_escaped(struct buf *out, const char *text, size_t len);

/* Appends a moment in UTC, since whoever reads it may be elsewhere: "2026-11-30 12:03:44 UTC". ms since the epoch. */
void text_add_utc(struct buf *out, int64_t wall_ms);

/* Whether the character at `at` is escaped: then its escape has been appended to `out`. */
typedef bool text_escaper(struct buf *out, const unsigned char *at);

/* Appends `text` with `escape`'s escapes, invalid UTF-8 as U+FFFD. */
void text_add_valid(struct buf *out, const char *text, size_t len, text_escaper *escape);

/* Appends "\n", "\r" or "\t" for that character; false, and nothing, for all others. */
bool text_add_short_escape(struct buf *out, unsigned char c);
