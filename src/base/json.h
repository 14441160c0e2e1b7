/*
 * A small JSON writer for the fixed shapes that plusmoin emits. Its prefix is jsonw_,
 * because libjansson, which is linked in too, has the names json_*. It puts the commas;
 * the caller says what comes. Invalid UTF-8 becomes U+FFFD. Not shared between threads.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct json {
	struct buf *out; /* the caller's */
	bool comma;      /* a comma is due before the next value or key */
};

void jsonw_begin_object(struct json *json);
void jsonw_end_object(struct json *json);
void jsonw_begin_array(struct json *json);
void jsonw_end_array(struct json *json);
void jsonw_key(struct json *json, const char *key);

/* NULL is written as null. */
void jsonw_string(struct json *json, const char *text);
void jsonw_int(struct json *json, int64_t value);

/* Milliseconds as seconds with three digits ("1.250"). */
void jsonw_seconds(struct json *json, int64_t ms);
void jsonw_bool(struct json *json, bool value);
void jsonw_null(struct json *json);

/* Writes a value that is JSON already. */
void jsonw_raw(struct json *json, const char *text);
