#include "script/ending.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/secret.h"
#include "script/limits.h"

/* The arguments and the result of describe_error(). */
struct description {
	lua_State *co;
	lua_State *innermost;
	const char *what; /* NULL: the error object, the second argument, says it */
	char *text;
};

/* Called by lua_pcall(), since the user's __tostring may make the error object's text. */
static int describe_error(lua_State *L)
{
	struct description *it = lua_touserdata(L, 1);

	if (it->what == NULL)
		luaL_tolstring(L, 2, NULL);
	else
		lua_pushstring(L, it->what);
	luaL_traceback(L, it->innermost, lua_tostring(L, -1), 0);
	if (it->innermost != it->co) {
		luaL_traceback(L, it->co, "\nof a coroutine resumed by", 0);
		lua_concat(L, 2);
	}
	it->text = secret_scrub(lua_tostring(L, -1), RUN_ERROR_BYTES);
	return 0;
}

/* Tries to make a description; within the limits of the run, if the user's code may make the text. */
static void try_describe(struct run *run, struct description *it)
{
	struct engine *engine = run->engine;
	struct run *before = engine->current;
	lua_State *L;

	engine->uncapped = true;
	L = lua_newthread(engine->L);
	engine->uncapped = it->what != NULL;
	engine->current = run;
	limits_begin_slice(run);
	coroutine_enter(L, it->what == NULL ? run : NULL);
	lua_pushcfunction(L, describe_error);
	lua_pushlightuserdata(L, it);
	if (it->what == NULL)
		lua_xmove(it->co, L, 1);
	(void)lua_pcall(L, it->what == NULL ? 2 : 1, 0, 0);
	engine->current = before;
	engine->uncapped = false;
	run->innermost = it->innermost;
	lua_pop(engine->L, 1);
}

char *ending_text(struct run *run, const char *what)
{
	struct description it = { .co = run->co, .innermost = run->innermost, .what = what };

	try_describe(run, &it);
	if (it.text == NULL && what == NULL) {
		it.what = "raised an error whose text could not be made";
		try_describe(run, &it);
	}
	return it.text != NULL ? it.text : mem_strdup(it.what);
}

static const char *reason_text(const struct run *run)
{
	switch (run->doom) {
	case DOOM_BURST:
		return "held the script host for too long (50 ms of computing, 500 ms in all) where Lua cannot wait (a callback of"
		       " sort or gsub, a metamethod called from C, require)";
	case DOOM_MEMORY:
		return "needed more memory than lua.memory_limit allows";
	case DOOM_STOPPED:
		return atomic_load(&run->job->by_hand) ? "ended by hand" : "ended with plusmoin or its script host";
	case DOOM_TIMEOUT:
	case DOOM_NONE:
		break;
	}
	return "";
}

const char *ending_place(struct run *run)
{
	if (run->doom_place[0] == '\0')
		limits_add_place(run->innermost, run->doom_place, sizeof(run->doom_place));
	return run->doom_place;
}

char *ending_of_doom(struct run *run)
{
	char *what = mem_printf("%s%sat %s", reason_text(run), run->doom == DOOM_TIMEOUT ? "" : " ", ending_place(run));
	char *text = ending_text(run, what);

	free(what);
	return text;
}
