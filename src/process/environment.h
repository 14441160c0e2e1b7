/*
 * The environment of external commands (contract.md, "External commands"): the
 * daemon's, less what is secret or only the daemon's, plus PLUSMOIN_*.
 */
#pragma once

#include "core/view.h"

/* Makes a NULL-terminated array for one event (NULL: for none); environment_free() frees it. */
char **environment_new(const struct event *event);

/* Adds or replaces a variable; `value` NULL removes it. */
void environment_set(char ***environment, const char *name, const char *value);
void environment_free(char ***environment);
