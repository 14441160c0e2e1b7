/* Where the window is to listen (`http`), tried, for `check`. Blocking: for no longer than binding takes. */
#pragma once

#include "base/json.h"
#include "core/config.h"

/*
 * Adds "window" to the open object: {"places": [{"key", "text", "error" (libuv's name of it; null: it can be listened
 * at), "words"}], "runs": whether a daemon holds the pid file, "has_token": whether who asks needs one}; null: there is
 * no window. Each place is listened at for a moment.
 */
void places_add(struct json *json, const struct config *config);
