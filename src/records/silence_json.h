/* Reads silences that core/silences.h has stored, in the state file or (with several monitors) in etcd. */
#pragma once

#include <jansson.h>

#include "core/silences.h"

/* Reads one. False: `*wrong` (a literal) is a key that is missing or wrong, and nothing is to be freed. */
bool silence_json_read(const json_t *from, struct silence *silence, const char **wrong);

/*
 * Adds those of a list (NULL: there are none). Returns how many were left out, as they were wrong, or more than
 * SILENCES_MOST; `*wrong` is the key that was wrong in the first of these.
 */
size_t silence_json_read_all(const json_t *list, struct silences *silences, const char **wrong);
