/*
 * libpq's words for a file of ours, or for this machine's TLS, that is not fit for a handshake: a row each. Pure.
 */
#pragma once

#include <stddef.h>

/* Where in a failed connect's message libpq complains so; NULL: it does not. */
const char *file_words_find(const char *message);

/* What it says there, up to the end of the line, less what may be no words at all. `at`: of file_words_find(). */
void file_words_copy(const char *at, char *out, size_t size);
