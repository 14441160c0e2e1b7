/*
 * A small JSON writer for the fixed shapes that plusmoin emits. It puts the
 * commas; the caller says what comes. Invalid UTF-8 becomes U+FFFD. Not shared
 * between threads.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct json {
	struct buf *out; /* the caller's */
	bool comma;      /* a comma is due before the next value or key */
};

void json_begin_object(struct json *json);
void json_end_object(struct json *json);
void json_begin_array(struct json *json);
void json_end_array(struct json *json);
void json_key(struct json *json, const char *key);

/* NULL is written as null. */
void json_string(struct json *json, const char *text);
void json_int(struct json *json, int64_t value);

/* Milliseconds as seconds with three digits ("1.250"). */
void json_seconds(struct json *json, int64_t ms);
void json_bool(struct json *json, bool value);
void json_null(struct json *json);
