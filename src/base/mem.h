/*
 * Memory that is either there or ends the process: out of memory is one of the
 * fatal errors of design.md, so callers never test a result. Any thread.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/* A block of `size` bytes, contents undefined; the caller frees it with free(). */
void *mem_alloc(size_t size);

/* As mem_alloc(), `count` times `size` bytes, all zero; an overflow is fatal. */
void *mem_zalloc(size_t count, size_t size);

/* Grows or shrinks `block` (NULL allowed) to `count` times `size` bytes. */
void *mem_grow(void *block, size_t count, size_t size);

/* A copy of `text`; NULL gives NULL. The caller frees it. */
char *mem_strdup(const char *text);

/* A copy of the first `len` bytes of `text`, terminated. The caller frees it. */
char *mem_strndup(const char *text, size_t len);

/* Frees a list of strings that a NULL ends, and the strings; NULL allowed. */
void mem_free_strings(char **strings);

/* A formatted string; the caller frees it. */
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *mem_vprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));
