#include "standin/messages.h"

#include <arpa/inet.h>
#include <string.h>

void add_int16(struct buf *out, unsigned value)
{
	uint16_t wire = htons((uint16_t)value);

	buf_add(out, &wire, sizeof(wire));
}

void add_int32(struct buf *out, uint32_t value)
{
	uint32_t wire = htonl(value);

	buf_add(out, &wire, sizeof(wire));
}

void add_text(struct buf *out, const char *text)
{
	buf_add(out, text, strlen(text) + 1);
}

size_t message_begin(struct buf *out, char type)
{
	size_t begin = out->len;

	buf_add(out, (const char[]){ type, 0, 0, 0, 0 }, 5);
	return begin;
}

void message_end(struct buf *out, size_t begin)
{
	uint32_t wire = htonl((uint32_t)(out->len - begin - 1)); /* the length counts itself, not the type */

	memcpy(out->data + begin + 1, &wire, sizeof(wire));
}

void message_add(struct buf *out, char type, const void *body, size_t len)
{
	size_t begin = message_begin(out, type);

	buf_add(out, body, len);
	message_end(out, begin);
}

void message_add_error(struct buf *out, const char *severity, const char *sqlstate, const char *text)
{
	size_t begin = message_begin(out, 'E');

	buf_add_char(out, 'S');
	add_text(out, severity);
	buf_add_char(out, 'V');
	add_text(out, severity);
	buf_add_char(out, 'C');
	add_text(out, sqlstate);
	buf_add_char(out, 'M');
	add_text(out, text);
	buf_add_char(out, '\0');
	message_end(out, begin);
}

uint32_t int_at(const char *body, size_t len, size_t at, size_t bytes)
{
	uint32_t value = 0;

	for (size_t i = 0; i < bytes && at + i < len; i++)
		value = value << 8 | (unsigned char)body[at + i];
	return value;
}
