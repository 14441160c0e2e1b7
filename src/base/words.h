/*
 * Words that are kept of somebody, and of most nobody has any: a pointer that owns a copy, or points to words_none, so
 * that it may be read without a question. Not shared between threads.
 */
#pragma once

#include <stddef.h>

/* "", of nobody. */
extern char words_none[];

/* Keeps a copy of `text` in place of what was kept, cut as text_copy() cuts it for `size` bytes; NULL is "". */
void words_keep(char **words, const char *text, size_t size);

/* Keeps "", and frees what was kept. */
void words_forget(char **words);
