#include "command/module.h"

void module_push(lua_State *L, const char *name)
{
	lua_getglobal(L, "require");
	lua_pushstring(L, name);
	lua_call(L, 1, 1);
}

void module_push_json(lua_State *L, int index)
{
	index = lua_absindex(L, index);
	module_push(L, "cjson");
	lua_getfield(L, -1, "decode");
	lua_remove(L, -2);
	lua_pushvalue(L, index);
	lua_call(L, 1, 1);
}
