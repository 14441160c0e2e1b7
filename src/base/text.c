#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static bool is_tail(unsigned char c)
{
	return (c & 0xC0U) == 0x80U;
}

/* The smallest and largest allowed second byte after `lead` (Unicode, table 3-7). */
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

void text_copy(char *out, size_t size, const char *text)
{
	size_t len;

	if (size == 0)
		return;
	if (text == NULL)
		text = "";
	len = strlen(text);
	if (len >= size) {
		size_t cut = size - 1;

		/* back to the start of the character that the cut would split, if it is one */
		for (size_t back = 1; back < 4 && back <= cut; back++) {
			if (text_char_len(text + cut - back, len - cut + back) > back) {
				cut -= back;
				break;
			}
		}
		len = cut;
	}
	if (len > 0)
		memcpy(out, text, len);
	out[len] = '\0';
}

static void add_control(struct buf *out, unsigned char c)
{
	switch (c) {
	case '\n':
		buf_add_str(out, "\\n");
		break;
	case '\t':
		buf_add_str(out, "\\t");
		break;
	case '\r':
		buf_add_str(out, "\\r");
		break;
	default:
		buf_addf(out, "\\x%02x", c);
		break;
	}
}

void text_add_escaped(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		unsigned char c = (unsigned char)text[i];
		size_t n = text_char_len(text + i, len - i);

		if (n == 0) {
			buf_add_str(out, "\xEF\xBF\xBD");
			n = 1;
		} else if (c < 0x20 || c == 0x7F) {
			add_control(out, c);
		} else if (c == 0xC2 && (unsigned char)text[i + 1] < 0xA0) {
			add_control(out, (unsigned char)text[i + 1]); /* C1 controls */
		} else {
			buf_add(out, text + i, n);
		}
		i += n;
	}
}
