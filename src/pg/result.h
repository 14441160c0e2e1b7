/*
 * What a result of libpq's says of itself, whatever was asked. Any thread that has the result.
 */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

/* Its SQLSTATE, "": none. Lives as long as the result. */
const char *result_sqlstate(const PGresult *result);

/* Whether it is rows, or a command that was done. */
bool result_is_ok(const PGresult *result);

/* Copies the server's words, secrets blanked. */
void result_words(const PGresult *result, char *out, size_t size);
