#include "script/load_env.h"

#include <lauxlib.h>
#include <libpq-fe.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process/glance.h"
#include "script/record.h"
#include "script/state.h"

#define LOOK_MS 500 /* for a look at a program, which only takes long on a mount that does not answer */

static int file_exists(lua_State *L)
{
	lua_pushboolean(L, access(luaL_checkstring(L, 1), F_OK) == 0);
	return 1;
}

static int file_readable(lua_State *L)
{
	lua_pushboolean(L, access(luaL_checkstring(L, 1), R_OK) == 0);
	return 1;
}

/* The permission bits of a file; nil when there is none. */
static int file_mode(lua_State *L)
{
	struct stat st;

	if (stat(luaL_checkstring(L, 1), &st) != 0)
		return 0;
	lua_pushinteger(L, st.st_mode & 07777);
	return 1;
}

/* obstacle(program): why it cannot be started as a trigger, and what mends that; nil: it can. */
static int program_obstacle(lua_State *L)
{
	bool looked;
	struct program_fault *fault = glance_at_program(luaL_checkstring(L, 1), "/", LOOK_MS, NULL, &looked);

	if (fault == NULL)
		return 0;
	lua_pushstring(L, fault->words);
	lua_pushstring(L, fault->cure);
	program_fault_free(&fault);
	return 2;
}

bool load_env_is_foreign(int fd)
{
	struct stat st;

	return fstat(fd, &st) != 0 || st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

/*
 * foreign(handle, path): whether others than root can change the open file. If the record has its text, the handle is a
 * file in memory, and the record also has the answer.
 */
static int file_is_foreign(lua_State *L)
{
	const luaL_Stream *file = luaL_checkudata(L, 1, LUA_FILEHANDLE);
	const char *path = luaL_checkstring(L, 2);
	struct record *record = engine_of(L)->record;
	struct fact fact;

	if (record != NULL && record_find(record, FACT_TEXT, path, &fact))
		lua_pushboolean(L, record_find(record, FACT_FOREIGN, path, &fact));
	else
		lua_pushboolean(L, load_env_is_foreign(fileno(file->f)));
	return 1;
}

static void set_function(lua_State *L, const char *name, lua_CFunction function)
{
	lua_pushcfunction(L, function);
	lua_setfield(L, -2, name);
}

/* Sets the caller's options as members of the table at the top. */
static void set_options(lua_State *L, const struct load_options *options)
{
	if (options == NULL)
		return;
	if (options->text != NULL) {
		lua_pushlstring(L, options->text, options->text_len);
		lua_setfield(L, -2, "text");
	}
	lua_pushboolean(L, options->names_only);
	lua_setfield(L, -2, "names_only");
	lua_pushboolean(L, options->reload);
	lua_setfield(L, -2, "reload");
	lua_pushstring(L, options->trigger); /* nil for NULL */
	lua_setfield(L, -2, "trigger");
}

void load_env_push(lua_State *L, const struct load_options *load)
{
	PQconninfoOption *options = PQconndefaults();
	char cwd[PATH_MAX];
	char host[HOST_NAME_MAX + 1];

	lua_newtable(L); /* env */
	lua_newtable(L); /* env keywords */
	for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++) {
		lua_pushboolean(L, 1);
		lua_setfield(L, -2, o->keyword);
	}
	if (options != NULL)
		lua_setfield(L, -2, "libpq_keywords"); /* env */
	else
		lua_pop(L, 1);
	PQconninfoFree(options);
	if (getcwd(cwd, sizeof(cwd)) != NULL) {
		lua_pushstring(L, cwd);
		lua_setfield(L, -2, "cwd");
	}
	if (gethostname(host, sizeof(host)) == 0) {
		host[sizeof(host) - 1] = '\0';
		lua_pushstring(L, host);
		lua_setfield(L, -2, "host");
	}
	lua_pushliteral(L, PLUSMOIN_PREFIX "/share/plusmoin/triggers");
	lua_setfield(L, -2, "trigger_dir");
	if (!engine_of(L)->again) {
		set_function(L, "exists", file_exists);
		set_function(L, "readable", file_readable);
		set_function(L, "mode", file_mode);
		if (load == NULL || !(load->programs_unseen || load->names_only))
			set_function(L, "obstacle", program_obstacle);
		if (getuid() == 0 && load != NULL && !load->names_only)
			set_function(L, "foreign", file_is_foreign);
	}
	set_options(L, load);
}
