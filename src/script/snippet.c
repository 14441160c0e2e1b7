#include "script/snippet.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"

/* The bound of what a run printed and returned; session.lua has a lower one. */
#define TEXT_BYTES ((size_t)2 << 20)

#define OWN "plusmoin/session.lua:" /* how Lua's errors name a line of our own */

/* Pushes this function of lua/plusmoin/session.lua. */
static void push_function(lua_State *L, const char *name)
{
	lua_getglobal(L, "require");
	lua_pushliteral(L, "plusmoin.session");
	lua_call(L, 1, 1);
	lua_getfield(L, -1, name);
	lua_remove(L, -2);
}

int snippet_push(lua_State *L, const struct job *job)
{
	push_function(L, "run");
	lua_pushstring(L, job->session);
	lua_pushstring(L, job->source);
	lua_pushstring(L, job->code);
	return 3;
}

/* Called by lua_pcall() with the job. Runs none of the user's code. */
static int take(lua_State *L)
{
	struct job *job = lua_touserdata(L, 1);

	push_function(L, "take");
	lua_pushstring(L, job->session);
	lua_call(L, 1, 4); /* text refused unfinished first */
	if (lua_isstring(L, -4))
		job->text = secret_scrub(lua_tostring(L, -4), TEXT_BYTES);
	if (lua_isstring(L, -3) && job->error == NULL)
		job->error = secret_scrub(lua_tostring(L, -3), TEXT_BYTES);
	job->unfinished = lua_toboolean(L, -2) != 0;
	job->first = lua_toboolean(L, -1) != 0;
	return 0;
}

static int forget(lua_State *L)
{
	const char *session = lua_touserdata(L, 1);

	push_function(L, "forget");
	lua_pushstring(L, session);
	lua_call(L, 1, 0);
	return 0;
}

/* Calls `function` with this pointer, without a limit of memory, as the run may have used that up. */
static void call(struct engine *engine, lua_CFunction function, void *pointer)
{
	lua_State *L = engine->L;

	engine->uncapped = true;
	lua_pushcfunction(L, function);
	lua_pushlightuserdata(L, pointer);
	if (lua_pcall(L, 1, 0, 0) != LUA_OK)
		lua_pop(L, 1);
	engine->uncapped = false;
}

/*
 * Takes our own lines out of an error. It cuts the traceback off where that comes to session.lua, which called the
 * typed code. It also cuts off the error's beginning when that names session.lua: a tail call of the typed code
 * failed, for which Lua has no line of that code.
 */
static void cut_own(char *error)
{
	static const char tail_calls[] = "\n\t(...tail calls...)";
	char *trace = strstr(error, "\nstack traceback:");
	char *own = trace != NULL ? strstr(trace, OWN) : NULL;
	char *first = strstr(error, OWN);
	size_t len;

	if (own != NULL) {
		while (*own != '\n')
			own--;
		*own = '\0';
		len = strlen(error);
		if (len >= sizeof(tail_calls) && strcmp(error + len - (sizeof(tail_calls) - 1), tail_calls) == 0)
			error[len - (sizeof(tail_calls) - 1)] = '\0';
	}
	if (first == NULL || (own != NULL && first > own) || memchr(error, '\n', (size_t)(first - error)) != NULL)
		return;
	first = strstr(first, ": ");
	if (first != NULL)
		memmove(error, first + 2, strlen(first + 2) + 1);
}

void snippet_take(struct engine *engine, struct job *job)
{
	call(engine, take, job);
	if (job->error != NULL)
		cut_own(job->error);
}

void snippet_forget(struct engine *engine, const char *session)
{
	char *name = mem_strdup(session);

	call(engine, forget, name);
	free(name);
}
