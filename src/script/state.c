#include "script/state.h"

#include <stdlib.h>

#include "base/mem.h"
#include "loop/workers.h"

struct engine *engine_of(lua_State *L)
{
	void *engine;

	(void)lua_getallocf(L, &engine);
	return engine;
}

#define PARKED ((uintptr_t)1) /* a bit beside the pointer to the run, in a coroutine's extra space */

static uintptr_t *mark_of(lua_State *L)
{
	return lua_getextraspace(L);
}

struct run *run_of(lua_State *L)
{
	uintptr_t mark = *mark_of(L);

	/* a parked coroutine runs no code, and its run may be freed */
	return (mark & PARKED) != 0 ? NULL : (struct run *)mark; // NOLINT(performance-no-int-to-ptr)
}

bool coroutine_is_parked(lua_State *co)
{
	return (*mark_of(co) & PARKED) != 0;
}

void coroutine_park(lua_State *co)
{
	*mark_of(co) |= PARKED;
}

void coroutine_leave(lua_State *co)
{
	*mark_of(co) = 0;
}

void coroutine_belongs(lua_State *co, struct run *run)
{
	*mark_of(co) = (uintptr_t)run;
}

static void on_idle(uv_idle_t *idle)
{
	struct engine *engine = idle->data;

	engine->work(engine);
	if (engine->ready.count == 0)
		uv_idle_stop(idle);
}

void engine_kick(struct engine *engine)
{
	if (engine->idle != NULL)
		(void)uv_idle_start(engine->idle, on_idle);
}

void engine_open_loop(struct engine *engine, uv_loop_t *loop)
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
	if (config->secrets != NULL) /* passwords are blanked in texts as long as these are referenced */
		own->secrets = secrets_ref(config->secrets);
	config_unref(&engine->nodes);
	engine->nodes = own;
}

void engine_close_loop(struct engine *engine)
{
	child_port_free(&engine->port);
	if (engine->loop != NULL)
		workers_close(engine->loop);
	(void)resolver_free(&engine->resolver); /* false: a look-up is under way, whose answer is dropped */
	http_free(&engine->http);
	config_unref(&engine->nodes);
	if (engine->idle != NULL)
		uv_close((uv_handle_t *)engine->idle, on_idle_closed);
}
