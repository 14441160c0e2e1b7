/*
 * Finds libpq's complaint about a file of ours, or this machine's TLS, that is not fit for a handshake. Pure.
 */
#pragma once

#include <stddef.h>

/* Where such a complaint begins in a failed connect's message; NULL: there is none. */
const char *file_words_find(const char *message);

/* Copies the complaint up to the end of its line, but for what may be stray memory (file_words.c). `at`: as found. */
void file_words_copy(const char *at, char *out, size_t size);
