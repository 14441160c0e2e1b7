#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

static bool is_tail(unsigned char c)
{
	return (c & 0xC0U) == 0x80U;
}

/* Whether `second` may be the second byte after `lead` (Unicode, table 3-7). */
static bool second_fits(unsigned char lead, unsigned char second)
{
	switch (lead) {
	case 0xE0:
		return second >= 0xA0 && second <= 0xBF;
	case 0xED:
		return second >= 0x80 && second <= 0x9F;
	case 0xF0:
		return second >= 0x90 && second <= 0xBF;
	case 0xF4:
		return second >= 0x80 && second <= 0x8F;
	default:
		return is_tail(second);
	}
}

size_t text_char_len(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t need;

	if (len == 0)
		return 0;
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xC2 && s[0] <= 0xDF)
		need = 2;
	else if (s[0] >= 0xE0 && s[0] <= 0xEF)
		need = 3;
	else if (s[0] >= 0xF0 && s[0] <= 0xF4)
		need = 4;
	else
		return 0;
	if (len < need || !second_fits(s[0], s[1]))
		return 0;
	for (size_t i = 2; i < need; i++) {
		if (!is_tail(s[i]))
			return 0;
	}
	return need;
}

bool text_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

size_t text_cut(const char *text, size_t most)
{
	size_t len = strnlen(text, most);

	if (len < most || text[most] == '\0')
		return len;
	/* if the cut would split a character, go back to the start of it */
	for (size_t back = 1; back < 4 && back <= most; back++) {
		if (text_char_len(text + most - back, strnlen(text + most - back, 4)) > back)
			return most - back;
	}
	return most;
}

void text_copy(char *out, size_t size, const char *text)
{
	size_t len;

	if (size == 0)
		return;
	len = text != NULL ? text_cut(text, size - 1) : 0;
	if (len > 0)
		memcpy(out, text, len);
	out[len] = '\0';
}

void text_add_valid(struct buf *out, const char *text, size_t len, text_escaper *escape)
{
	for (size_t i = 0; i < len;) {
		size_t n = text_char_len(text + i, len - i);

		if (n == 0) {
			buf_add_str(out, "\xEF\xBF\xBD");
			n = 1;
		} else if (!escape(out, (const unsigned char *)text + i)) {
			buf_add(out, text + i, n);
		}
		i += n;
	}
}

bool text_add_short_escape(struct buf *out, unsigned char c)
{
	const char *escape = c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\t' ? "\\t" : NULL;

	if (escape != NULL)
		buf_add_str(out, escape);
	return escape != NULL;
}

/* Escapes control characters, also those of C1, which are two bytes long. */
static bool escape_control(struct buf *out, const unsigned char *at)
{
	unsigned char c = at[0] == 0xC2 && at[1] < 0xA0 ? at[1] : at[0];

	if (c == at[0] && c >= 0x20 && c != 0x7F)
		return false;
	if (!text_add_short_escape(out, c))
		buf_addf(out, "\\x%02x", c);
	return true;
}

void text_add_escaped(struct buf *out, const char *text, size_t len)
{
	text_add_valid(out, text, len, escape_control);
}

void text_add_utc(struct buf *out, int64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	char text[40];
	struct tm at;

	if (gmtime_r(&seconds, &at) != NULL && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &at) > 0)
		buf_add_str(out, text);
}
