#include "script/state.h"

#include <lualib.h>
#include <stdlib.h>
#include <unistd.h>

#include "script/embedded.h"

static void preload(lua_State *L)
{
	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE); /* preload */
	for (const struct embedded_module *m = embedded_modules; m->name != NULL; m++) {
		if (luaL_loadbufferx(L, (const char *)m->text, m->size, m->path, "t") != LUA_OK)
			lua_error(L);
		lua_setfield(L, -2, m->name); /* preload */
	}
	lua_pop(L, 1);
}

static int set_up(lua_State *L)
{
	const char *development = getuid() != 0 ? getenv("PLUSMOIN_LUA") : NULL;

	lua_pushboolean(L, 1);
	lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV"); /* as lua -E: LUA_PATH is ignored */
	luaL_openlibs(L);
	lua_getglobal(L, "package"); /* package */
	lua_getfield(L, -1, "path"); /* package path */
	luaL_gsub(L, lua_tostring(L, -1), ";./?.lua;./?/init.lua", ""); /* package path clean */
	if (development != NULL) {
		lua_pushfstring(L, "%s/?.lua;%s", development, lua_tostring(L, -1));
		lua_setfield(L, -4, "path"); /* package path clean */
	} else {
		lua_pushvalue(L, -1);
		lua_setfield(L, -4, "path");
		preload(L);
	}
	return 0;
}

lua_State *state_new(void)
{
	lua_State *L = luaL_newstate();

	if (L == NULL)
		return NULL;
	lua_pushcfunction(L, set_up);
	if (lua_pcall(L, 0, 0, 0) != LUA_OK) {
		lua_close(L);
		return NULL;
	}
	return L;
}
