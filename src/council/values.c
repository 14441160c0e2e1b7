#include "council/values.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "council/keys.h"
#include "script/packed.h"

static bool is_plain(char c)
{
	return isalnum((unsigned char)c) != 0 || strchr("_.-", c) != NULL;
}

/* Returns the value's key, which the caller frees. */
static char *key_of(const struct assignment *value)
{
	struct buf key = { 0 };

	buf_add_str(&key, KEY_VALUES);
	for (size_t i = 0; i < value->name_len; i++) {
		if (value->name[i] != '\0' && is_plain(value->name[i]))
			buf_add_char(&key, value->name[i]);
		else
			buf_addf(&key, "%%%02X", (unsigned char)value->name[i]);
	}
	return buf_steal(&key);
}

void values_put(struct commit *commit, const struct assignment *value)
{
	char *key = key_of(value);

	if (value->bytes != NULL)
		commit_put_bytes(commit, key, mem_strndup(value->bytes, value->len), value->len);
	else
		commit_put(commit, key, NULL);
	free(key);
}

/* Appends the bytes of an escaped name; false: it is none. */
static bool read_name(const char *text, struct buf *name)
{
	while (*text != '\0') {
		char digits[3] = { 0 };

		if (*text != '%') {
			buf_add_char(name, *text++);
			continue;
		}
		memccpy(digits, text + 1, '\0', 2);
		if (isxdigit((unsigned char)digits[0]) == 0 || isxdigit((unsigned char)digits[1]) == 0)
			return false;
		buf_add_char(name, (char)strtoul(digits, NULL, 16));
		text += 3;
	}
	return true;
}

struct assignment *values_read(const char *key, const char *bytes, size_t len)
{
	struct assignment *value = NULL;
	struct buf name = { 0 };

	if (strncmp(key, KEY_VALUES, strlen(KEY_VALUES)) == 0 && read_name(key + strlen(KEY_VALUES), &name) &&
	    packed_is_sound(bytes, len))
		value = assignment_new(buf_text(&name), name.len, bytes, len);
	buf_free(&name);
	return value;
}
