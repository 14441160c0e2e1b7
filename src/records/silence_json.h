/* Reads silences again as core/silences.h stores them: in the state file, and with several monitors in etcd. */
#pragma once

#include <jansson.h>

#include "core/silences.h"

/* Reads one. False, and nothing is to be freed: `*wrong` (a literal) is the key that is missing or wrong. */
bool silence_json_read(const json_t *from, struct silence *silence, const char **wrong);

/*
 * Adds those of a list (NULL: there are none). Returns how many were wrong, or were more than SILENCES_MOST: these are left
 * out, and `*wrong` says what was the matter with the first.
 */
size_t silence_json_read_all(const json_t *list, struct silences *silences, const char **wrong);
