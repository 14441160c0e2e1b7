/*
 * What a result of libpq's says of itself, whatever was asked. Any thread that has the result.
 */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

/* "": none. Lives as long as the result. */
const char *result_sqlstate(const PGresult *result);

/* Rows, or a command that is done. */
bool result_is_ok(const PGresult *result);

/* The server's words, secrets blanked. */
void result_words(const PGresult *result, char *out, size_t size);
