/*
 * What the loader, which is Lua, cannot know by itself: files' rights, libpq's keywords, where plusmoin is.
 */
#pragma once

#include <lua.h>
#include <stdbool.h>

#include "script/loader.h"

/*
 * Pushes `env` of plusmoin.config.load (lua/plusmoin/config.lua says what is in it), with the members that
 * `load` gives (NULL: none). A load that is made again asks no disk: its `env` has no functions. Raises Lua's
 * errors. The state's thread.
 */
void load_env_push(lua_State *L, const struct load_options *load);

/* Whether the open file `fd` is not root's, or others can change it. Any thread. */
bool load_env_is_foreign(int fd);
