/*
 * What all answers of the control socket have: {"ok": true, ...}, or {"ok": false, "error": "..."}. Any thread; what is
 * returned is the caller's.
 */
#pragma once

#include "base/json.h"
#include "base/shared_text.h"

/* Write "ok" into an object that is open; with an error its words as well. */
void response_add_ok(struct json *json);
void response_add_error(struct json *json, const char *why);

/* Begins an object in `out`, which is the caller's and empty, with "ok"; response_end() ends it and takes the text. */
struct json response_begin(struct buf *out);
struct shared_text *response_end(struct json *json);

/* Makes the whole answer that says why there is no other. */
struct shared_text *response_error(const char *why);
