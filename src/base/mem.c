#include "base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *checked(void *block)
{
	static const char words[] = "plusmoin: out of memory\n";

	if (block == NULL) {
		ssize_t ignored = write(STDERR_FILENO, words, sizeof(words) - 1);
		(void)ignored;
		abort();
	}
	return block;
}

void *mem_alloc(size_t size)
{
	return checked(malloc(size > 0 ? size : 1));
}

void *mem_zalloc(size_t count, size_t size)
{
	return checked(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

void *mem_grow(void *block, size_t count, size_t size)
{
	if (size > 0 && count > SIZE_MAX / size)
		return checked(NULL);
	return checked(realloc(block, count * size > 0 ? count * size : 1));
}

char *mem_strndup(const char *text, size_t len)
{
	char *copy = mem_alloc(len + 1);

	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *mem_strdup(const char *text)
{
	return text == NULL ? NULL : mem_strndup(text, strlen(text));
}

char *mem_vprintf(const char *format, va_list args)
{
	va_list again;
	char *text;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0)
		return mem_strdup("(unprintable)");
	text = mem_alloc((size_t)len + 1);
	(void)vsnprintf(text, (size_t)len + 1, format, args);
	return text;
}

void mem_free_strings(char **strings)
{
	for (char **string = strings; string != NULL && *string != NULL; string++)
		free(*string);
	free(strings);
}

char *mem_printf(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = mem_vprintf(format, args);
	va_end(args);
	return text;
}
