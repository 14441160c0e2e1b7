/*
 * Words: a text that is kept for each of many objects and is empty for most of them. The pointer owns a copy, or points
 * to words_none, so an empty text takes no memory and the pointer is never NULL. Not shared between threads.
 */
#pragma once

#include <stddef.h>

/* The empty text, which nobody owns. */
extern char words_none[];

/* Keeps a copy of `text` in place of what was kept, cut as text_copy() cuts it for `size` bytes; NULL is "". */
void words_keep(char **words, const char *text, size_t size);

/* Keeps "", and frees what was kept. */
void words_forget(char **words);
