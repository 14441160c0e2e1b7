#include "process/image.h"

#include <string.h>

static bool starts_with(const char *bytes, size_t len, const char *start, size_t start_len)
{
	return len >= start_len && memcmp(bytes, start, start_len) == 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Cuts `text` after its first word, and returns what is behind the blanks that follow. */
static char *cut_word(char *text)
{
	while (*text != '\0' && !is_blank(*text))
		text++;
	while (is_blank(*text))
		*text++ = '\0';
	return text;
}

/* Reads the line behind the #!, without the blanks at its ends. */
static void read_line(struct image *image, const char *line, size_t len)
{
	const char *stop = memchr(line, '\n', len);
	char *word = image->interpreter;

	len = stop != NULL ? (size_t)(stop - line) : strnlen(line, len);
	while (len > 0 && is_blank(*line))
		line++, len--;
	while (len > 0 && is_blank(line[len - 1]))
		len--;
	image->has_cr = len > 0 && line[len - 1] == '\r';
	memcpy(word, line, len);
	word[len] = '\0';
	word = cut_word(word);
	memcpy(image->argument, word, strlen(word) + 1);
}

void image_read(struct image *image, const char *bytes, size_t len)
{
	static const char mark[] = "\xEF\xBB\xBF#!";

	*image = (struct image){ .is_text = memchr(bytes, '\0', len) == NULL };
	if (len == 0) {
		image->kind = IMAGE_EMPTY;
	} else if (starts_with(bytes, len, "\177ELF", 4)) {
		image->kind = IMAGE_ELF;
	} else if (starts_with(bytes, len, mark, sizeof(mark) - 1)) {
		image->kind = IMAGE_MARKED;
	} else if (starts_with(bytes, len, "#!", 2)) {
		image->kind = IMAGE_SCRIPT;
		read_line(image, bytes + 2, len - 2);
	}
}
