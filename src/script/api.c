/* Opens and closes the Lua state of a host: its libraries, the embedded modules and the sandbox. */
#include "script/api.h"
#include "script/limits.h"

#include <lualib.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "script/embedded.h"

static const luaL_Reg own_modules[] = {
	{ "plusmoin.coroutines", luaopen_plusmoin_coroutines },
	{ "plusmoin.core", luaopen_plusmoin_core },
	{ "plusmoin.exec", luaopen_plusmoin_exec },
	{ "plusmoin.query.core", luaopen_plusmoin_query },
	{ "plusmoin.request.core", luaopen_plusmoin_request },
	{ "plusmoin.http.core", luaopen_plusmoin_http },
	{ "plusmoin.jansson", luaopen_plusmoin_json },
	{ "plusmoin.store", luaopen_plusmoin_store },
	{ "plusmoin.libs", luaopen_plusmoin_libs },
	{ "plusmoin.reads", luaopen_plusmoin_reads },
	{ NULL, NULL },
};

/* A loader of package.preload, as require calls it. upvalue 1: the module, whose text is compiled only now. */
static int load_embedded(lua_State *L)
{
	const struct embedded_module *m = lua_touserdata(L, lua_upvalueindex(1));
	int count = lua_gettop(L);

	lua_pushfstring(L, "=%s", m->path);
	if (luaL_loadbufferx(L, (const char *)m->text, m->size, lua_tostring(L, -1), "t") != LUA_OK)
		return lua_error(L);
	lua_replace(L, -2);
	lua_insert(L, 1); /* chunk arguments */
	lua_call(L, count, 1);
	return 1;
}

static void preload_embedded(lua_State *L)
{
	for (const struct embedded_module *m = embedded_modules; m->name != NULL; m++) {
		lua_pushlightuserdata(L, (void *)m);
		lua_pushcclosure(L, load_embedded, 1);
		lua_setfield(L, -2, m->name); /* preload */
	}
}

static void preload(lua_State *L, bool embedded)
{
	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE); /* preload */
	if (embedded)
		preload_embedded(L);
	for (const luaL_Reg *module = own_modules; module->name != NULL; module++) {
		lua_pushcfunction(L, module->func);
		lua_setfield(L, -2, module->name);
	}
	lua_pop(L, 1);
}

static void set_path(lua_State *L, const char *development)
{
	lua_getglobal(L, "package");  /* package */
	lua_getfield(L, -1, "path"); /* package path */
	luaL_gsub(L, lua_tostring(L, -1), ";./?.lua;./?/init.lua", ""); /* package path clean */
	if (development != NULL) {
		lua_pushfstring(L, "%s/?.lua;%s/?/init.lua;%s", development, development,
				lua_tostring(L, -1));
		lua_replace(L, -2);
	}
	lua_setfield(L, -3, "path");
	lua_pop(L, 1);
	lua_getfield(L, -1, "cpath"); /* package cpath */
	luaL_gsub(L, lua_tostring(L, -1), ";./?.so", "");
	lua_setfield(L, -3, "cpath");
	lua_pop(L, 2);
}

static int set_up(lua_State *L)
{
	const char *development = getuid() != 0 ? getenv("PLUSMOIN_LUA") : NULL;

	lua_pushboolean(L, 1);
	lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV"); /* as lua -E: LUA_PATH is ignored */
	luaL_openlibs(L);
	set_path(L, development);
	preload(L, development == NULL);
	lua_getglobal(L, "require");
	lua_pushliteral(L, "plusmoin.sandbox");
	lua_call(L, 1, 1);
	lua_getfield(L, -1, "close"); /* from now on no standard function can be reached past the sandbox */
	lua_call(L, 0, 0);
	return 0;
}

bool engine_open(struct engine *engine, uv_loop_t *loop)
{
	static void (*const run_ends[])(struct run *) = { core_log_left_out, query_end_sessions, NULL };

	engine->run_ends = run_ends;
	engine->work = engine_work;
	engine->memory_limit = LOAD_MEMORY_BYTES;
	engine->L = lua_newstate(limits_alloc, engine);
	if (engine->L == NULL)
		return false;
	coroutine_leave(engine->L); /* Lua does not initialise the main thread's extra space */
	lua_pushcfunction(engine->L, set_up);
	if (lua_pcall(engine->L, 0, 0, 0) != LUA_OK) {
		log_error("cannot set up a Lua state: %s", lua_tostring(engine->L, -1));
		lua_close(engine->L);
		engine->L = NULL;
		return false;
	}
	if (loop != NULL)
		engine_open_loop(engine, loop);
	return true;
}

bool engine_open_alone(struct engine *engine)
{
	static struct pulse pulse = { .lock = PTHREAD_MUTEX_INITIALIZER };
	static const atomic_bool abandoned;

	*engine = (struct engine){ .pulse = &pulse, .abandoned = &abandoned };
	return engine_open(engine, NULL);
}

void engine_close(struct engine *engine)
{
	if (engine->L == NULL)
		return;
	run_stop_all(engine);
	engine_close_loop(engine);
	list_free(&engine->runs);
	list_free(&engine->ready);
	engine->uncapped = true;
	lua_close(engine->L);
	engine->L = NULL;
	free(engine->strayed);
	engine->strayed = NULL;
}
