#include "etcd/base64.h"

#include <stdint.h>
#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_add(struct buf *out, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < len; i += 3) {
		size_t count = len - i < 3 ? len - i : 3;
		uint32_t three = (uint32_t)at[i] << 16;
		char four[4];

		if (count > 1)
			three |= (uint32_t)at[i + 1] << 8;
		if (count > 2)
			three |= at[i + 2];
		for (int j = 0; j < 4; j++)
			four[j] = letters[three >> (18 - 6 * j) & 63];
		memset(four + count + 1, '=', 3 - count);
		buf_add(out, four, sizeof(four));
	}
}

/* The six bits that a letter stands for; -1: none does. */
static int bits_of(char letter)
{
	const char *at = letter != '\0' ? strchr(letters, letter) : NULL;

	return at != NULL ? (int)(at - letters) : -1;
}

/* Appends what four letters encode; `count` of them stand for bits, the others are padding. */
static bool add_three(struct buf *out, const char *four, size_t count)
{
	uint32_t three = 0;
	char bytes[3];

	for (size_t i = 0; i < 4; i++) {
		int bits = i < count ? bits_of(four[i]) : 0;

		if (bits < 0)
			return false;
		three = three << 6 | (uint32_t)bits;
	}
	if (count < 4 && (three & (count == 2 ? 0xFFFFU : 0xFFU)) != 0)
		return false; /* bits that no byte has */
	for (int i = 0; i < 3; i++)
		bytes[i] = (char)(three >> (16 - 8 * i) & 0xFF);
	buf_add(out, bytes, count - 1);
	return true;
}

bool base64_read(struct buf *out, const char *text, size_t len)
{
	size_t before = out->len;

	if (len % 4 != 0)
		return false;
	for (size_t i = 0; i < len; i += 4) {
		size_t count = 4;

		if (i + 4 == len && text[i + 3] == '=')
			count = text[i + 2] == '=' ? 2 : 3;
		if (add_three(out, text + i, count))
			continue;
		if (out->data != NULL)
			out->data[before] = '\0';
		out->len = before;
		return false;
	}
	return true;
}
