/* The Lua state of a host: libraries, embedded modules, the sandbox, its end. */
#include "script/engine.h"

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
	{ NULL, NULL },
};

struct engine *engine_of(lua_State *L)
{
	void *engine;

	(void)lua_getallocf(L, &engine);
	return engine;
}

static void preload_embedded(lua_State *L)
{
	for (const struct embedded_module *m = embedded_modules; m->name != NULL; m++) {
		lua_pushfstring(L, "=%s", m->path);
		if (luaL_loadbufferx(L, (const char *)m->text, m->size, lua_tostring(L, -1), "t") !=
		    LUA_OK)
			lua_error(L);
		lua_remove(L, -2);
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
	lua_pushnil(L);
	lua_setfield(L, -3, "loadlib"); /* require does for libraries that are installed */
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
	lua_getfield(L, -1, "close"); /* nothing of the standard's can be reached around it now */
	lua_call(L, 0, 0);
	return 0;
}

static void on_idle(uv_idle_t *idle)
{
	struct engine *engine = idle->data;

	engine_work(engine);
	if (engine->ready.count == 0)
		uv_idle_stop(idle);
}

void engine_kick(struct engine *engine)
{
	if (engine->idle != NULL)
		(void)uv_idle_start(engine->idle, on_idle);
}

static void open_loop(struct engine *engine, uv_loop_t *loop)
{
	engine->loop = loop;
	engine->idle = mem_zalloc(1, sizeof(*engine->idle));
	uv_idle_init(loop, engine->idle);
	engine->idle->data = engine;
	engine->port = child_port_new(loop);
}

static void on_idle_closed(uv_handle_t *handle)
{
	free(handle);
}

bool engine_open(struct engine *engine, uv_loop_t *loop)
{
	engine->memory_limit = LOAD_MEMORY_BYTES;
	engine->L = lua_newstate(limits_alloc, engine);
	if (engine->L == NULL)
		return false;
	coroutine_leave(engine->L); /* Lua leaves the extra space as it finds it */
	lua_pushcfunction(engine->L, set_up);
	if (lua_pcall(engine->L, 0, 0, 0) != LUA_OK) {
		log_error("no Lua state: %s", lua_tostring(engine->L, -1));
		lua_close(engine->L);
		engine->L = NULL;
		return false;
	}
	if (loop != NULL)
		open_loop(engine, loop);
	return true;
}

bool engine_open_alone(struct engine *engine)
{
	static struct pulse pulse = { .lock = PTHREAD_MUTEX_INITIALIZER };
	static const atomic_bool abandoned;

	*engine = (struct engine){ .pulse = &pulse, .abandoned = &abandoned };
	return engine_open(engine, NULL);
}

struct resolver *engine_resolver(struct engine *engine)
{
	if (engine->resolver == NULL)
		engine->resolver = resolver_new(engine->loop);
	return engine->resolver;
}

struct http *engine_http(struct engine *engine)
{
	if (engine->http == NULL)
		engine->http = http_new(engine->loop);
	return engine->http;
}

void engine_keep_nodes(struct engine *engine, const struct config *config)
{
	struct config *own = config_new();

	own->nodes = mem_zalloc(config->node_count, sizeof(*own->nodes));
	own->node_count = config->node_count;
	for (size_t i = 0; i < config->node_count; i++)
		config_node_copy(&own->nodes[i], &config->nodes[i]);
	config_seal(own);
	config_unref(&engine->nodes);
	engine->nodes = own;
}

void engine_close(struct engine *engine)
{
	if (engine->L == NULL)
		return;
	run_stop_all(engine);
	child_port_free(&engine->port);
	(void)resolver_free(&engine->resolver); /* a look-up under way finds nobody */
	http_free(&engine->http);
	config_unref(&engine->nodes);
	if (engine->idle != NULL)
		uv_close((uv_handle_t *)engine->idle, on_idle_closed);
	list_free(&engine->runs);
	list_free(&engine->ready);
	engine->uncapped = true;
	lua_close(engine->L);
	engine->L = NULL;
}
