/*
 * Looks for the programs of the triggers, for `check`, each as the daemon would start it (process/program.h), so that
 * it is to be called as the daemon's user. Blocks.
 */
#pragma once

#include "base/json.h"
#include "core/config.h"

/*
 * Adds "programs" to the object, a list of all commands: {path, program, place, words, cure, sure, argument}. `path`
 * is where the configuration names it; `place` where it is found, else `words` says what stands in its way; `argument`
 * is the file that an interpreter is to run, where we may not read it.
 */
void programs_add(struct json *json, const struct config *config);
