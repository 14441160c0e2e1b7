/*
 * The programs of the triggers, for `check`: each as the daemon would start it (process/program.h), so
 * call it as its user. Blocks.
 */
#pragma once

#include "base/json.h"
#include "core/config.h"

/*
 * Adds the key "programs" to the object: a list of all commands, {path, program, place, words, cure, sure,
 * argument}: where the configuration names it; `place` where it is found, else `words` what stands in its way;
 * `argument` the file that an interpreter is to run, where we may not read it.
 */
void programs_add(struct json *json, const struct config *config);
