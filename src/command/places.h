/* Tries, for `check`, to listen where the window (`http`) is to listen. Blocking: for no longer than binding takes. */
#pragma once

#include "base/json.h"
#include "core/config.h"

/*
 * Adds "window" to the open object: {"places": [{"key", "text", "error" (libuv's name; null: listening there works),
 * "words"}], "runs": whether a daemon holds the pid file, "has_token": whether who asks needs one}; null: there is no
 * window. It listens at each place for a moment.
 */
void places_add(struct json *json, const struct config *config);
