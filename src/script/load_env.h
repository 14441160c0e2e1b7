/*
 * Tells the loader, which is written in Lua, what it cannot find out there: files' permissions, libpq's keywords, and
 * where plusmoin is installed.
 */
#pragma once

#include <lua.h>
#include <stdbool.h>

#include "script/loader.h"

/*
 * Pushes the argument `env` of plusmoin.config.load (lua/plusmoin/config.lua says what is in it), with the options of
 * `load` (NULL: none). A load that is made again must not ask the disk, so its `env` has no functions. Raises Lua's
 * errors. The state's thread.
 */
void load_env_push(lua_State *L, const struct load_options *load);

/* Whether the owner of the open file is not root, or others may write to it. Any thread. */
bool load_env_is_foreign(int fd);
