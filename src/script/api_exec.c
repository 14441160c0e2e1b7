/*
 * plusmoin.exec: run(spec) is pm.exec (contract.md, "Lua triggers"), which starts
 * a child process and waits for its end. Host's thread.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "process/environment.h"
#include "script/api.h"
#include "script/run.h"

#define EXEC_KEEP_BYTES ((size_t)1 << 20) /* contract.md: 1 MiB each of stdout and stderr */
#define POPEN_KEEP_BYTES ((size_t)4 << 20) /* contract.md: io.popen reads 4 MiB */
#define LONGEST_S 86400.0

/* One exec: the arguments as C has them, then the outcome. Freed by release(). */
struct exec {
	struct run *run;
	struct child *child;
	char **argv;
	char **environment;
	char *cwd;
	char *input;
	size_t input_len;
	int64_t timeout_ms;
	/* the outcome */
	int error;
	bool no_directory;
	char *why;
	int exit_code;
	int signal;
	bool timed_out;
	bool truncated;
	char *out;
	size_t out_len;
	char *err;
	size_t err_len;
};

static void release(void *data)
{
	struct exec *exec = data;

	mem_free_strings(exec->argv);
	environment_free(&exec->environment);
	free(exec->cwd);
	free(exec->input);
	free(exec->why);
	free(exec->out);
	free(exec->err);
	free(exec);
}

static void cancel(void *data)
{
	struct exec *exec = data;

	if (exec->child != NULL)
		child_abandon(exec->child);
}

static void on_ended(void *data, const struct child_outcome *outcome)
{
	struct exec *exec = data;

	exec->child = NULL;
	exec->error = outcome->error;
	exec->no_directory = outcome->no_directory;
	exec->why = mem_strdup(outcome->why);
	exec->exit_code = outcome->exit_code;
	exec->signal = outcome->signal;
	exec->timed_out = outcome->timed_out;
	exec->truncated = outcome->truncated;
	exec->out_len = outcome->output_len;
	exec->out = mem_strndup(outcome->output, outcome->output_len);
	exec->err_len = outcome->errors_len;
	exec->err = mem_strndup(outcome->errors, outcome->errors_len);
	run_wake(exec->run);
}

static int finish(lua_State *L, void *data)
{
	const struct exec *exec = data;

	if (exec->error != 0) {
		lua_pushnil(L);
		if (exec->no_directory && exec->cwd != NULL)
			lua_pushfstring(L, "cannot start %s: no directory %s", exec->argv[0],
					exec->cwd);
		else
			lua_pushfstring(L, "cannot start %s: %s", exec->argv[0], exec->why);
		return 2;
	}
	lua_createtable(L, 0, 6);
	if (exec->signal == 0) {
		lua_pushinteger(L, exec->exit_code);
		lua_setfield(L, -2, "code");
	} else {
		lua_pushinteger(L, exec->signal);
		lua_setfield(L, -2, "signal");
	}
	lua_pushlstring(L, exec->out, exec->out_len);
	lua_setfield(L, -2, "stdout");
	lua_pushlstring(L, exec->err, exec->err_len);
	lua_setfield(L, -2, "stderr");
	lua_pushboolean(L, exec->timed_out);
	lua_setfield(L, -2, "timed_out");
	lua_pushboolean(L, exec->truncated);
	lua_setfield(L, -2, "truncated");
	return 1;
}

/* The value at the top as a string for C; an error if it is none. */
static const char *plain_string(lua_State *L, const char *what)
{
	size_t len;
	const char *text = lua_type(L, -1) == LUA_TNUMBER || lua_type(L, -1) == LUA_TSTRING
				   ? lua_tolstring(L, -1, &len)
				   : NULL;

	if (text == NULL)
		luaL_error(L, "pm.exec: %s: a string expected, got %s", what, luaL_typename(L, -1));
	else if (strlen(text) != len)
		luaL_error(L, "pm.exec: %s: a string without NUL bytes expected", what);
	return text;
}

/* Checks all arguments but what env holds, so that take_spec() cannot fail. Raises. */
static void check_spec(lua_State *L)
{
	lua_Integer count;

	luaL_checktype(L, 1, LUA_TTABLE);
	count = (lua_Integer)lua_rawlen(L, 1);
	if (count == 0)
		luaL_error(L, "pm.exec: no program: pm.exec{\"program\", \"argument\", ...} expected");
	for (lua_Integer i = 1; i <= count; i++) {
		lua_rawgeti(L, 1, i);
		(void)plain_string(L, "an argument");
		lua_pop(L, 1);
	}
	if (lua_getfield(L, 1, "timeout") != LUA_TNIL &&
	    !(lua_isnumber(L, -1) && lua_tonumber(L, -1) > 0 && lua_tonumber(L, -1) <= LONGEST_S))
		luaL_error(L, "pm.exec: timeout: seconds above 0, at most 86400, expected");
	if (lua_getfield(L, 1, "stdin") != LUA_TNIL && lua_type(L, -1) != LUA_TSTRING)
		luaL_error(L, "pm.exec: stdin: a string expected, got %s", luaL_typename(L, -1));
	if (lua_getfield(L, 1, "cwd") != LUA_TNIL)
		(void)plain_string(L, "cwd");
	if (lua_getfield(L, 1, "env") != LUA_TNIL && !lua_istable(L, -1))
		luaL_error(L, "pm.exec: env: a table expected, got %s", luaL_typename(L, -1));
	lua_settop(L, 1);
}

/* Checks env, which is at the top: each key is a name, each value a string, a number or false. Raises. */
static void check_env(lua_State *L)
{
	lua_pushnil(L);
	while (lua_next(L, -2) != 0) {
		if (lua_type(L, -2) != LUA_TSTRING || lua_rawlen(L, -2) == 0 ||
		    strchr(lua_tostring(L, -2), '=') != NULL ||
		    strlen(lua_tostring(L, -2)) != lua_rawlen(L, -2))
			luaL_error(L, "pm.exec: env: names without '=' expected as keys");
		if (!lua_isboolean(L, -1) || lua_toboolean(L, -1))
			(void)plain_string(L, "env");
		lua_pop(L, 1);
	}
}

static void take_env(lua_State *L, struct exec *exec)
{
	if (lua_getfield(L, 1, "env") == LUA_TTABLE) {
		lua_pushnil(L);
		while (lua_next(L, -2) != 0) {
			environment_set(&exec->environment, lua_tostring(L, -2),
					lua_isboolean(L, -1) ? NULL : lua_tostring(L, -1));
			lua_pop(L, 1);
		}
	}
	lua_pop(L, 1);
}

static struct exec *take_spec(lua_State *L, struct run *run)
{
	struct exec *exec = mem_zalloc(1, sizeof(*exec));
	lua_Integer count = (lua_Integer)lua_rawlen(L, 1);
	const char *text;

	exec->run = run;
	exec->argv = mem_zalloc((size_t)count + 1, sizeof(*exec->argv));
	for (lua_Integer i = 1; i <= count; i++) {
		lua_rawgeti(L, 1, i);
		exec->argv[i - 1] = mem_strdup(lua_tostring(L, -1));
		lua_pop(L, 1);
	}
	exec->timeout_ms = run_left_ms(run) + CHILD_KILL_MS; /* so that the run's timeout ends the run before */
	if (lua_getfield(L, 1, "timeout") != LUA_TNIL)
		exec->timeout_ms = (int64_t)ceil(lua_tonumber(L, -1) * 1000.0);
	if (lua_getfield(L, 1, "stdin") != LUA_TNIL) {
		text = lua_tolstring(L, -1, &exec->input_len);
		exec->input = mem_strndup(text, exec->input_len);
	}
	if (lua_getfield(L, 1, "cwd") != LUA_TNIL)
		exec->cwd = mem_strdup(lua_tostring(L, -1));
	lua_settop(L, 1);
	exec->environment = environment_new(run->job->event);
	take_env(L, exec);
	return exec;
}

static int start(lua_State *L, size_t keep_bytes)
{
	struct run *run = run_check_wait(L, "pm.exec");
	struct wait wait = { .what = "exec", .cancel = cancel, .finish = finish, .release = release };
	struct child_options options;
	struct exec *exec;

	check_spec(L);
	if (lua_getfield(L, 1, "env") == LUA_TTABLE)
		check_env(L);
	lua_settop(L, 1);
	exec = take_spec(L, run);
	options = (struct child_options){
		.argv = exec->argv,
		.environment = exec->environment,
		.cwd = exec->cwd,
		.input = exec->input,
		.input_len = exec->input_len,
		.timeout_ms = exec->timeout_ms,
		.keep_bytes = keep_bytes,
	};
	exec->child = child_start(run->engine->port, &options, on_ended, exec);
	wait.data = exec;
	return run_wait(L, run, &wait);
}

/*
 * run(spec): waits for the child. { code or signal, stdout, stderr, timed_out,
 * truncated }, or nil and a message when it cannot be started. Raises on misuse.
 */
static int exec_run(lua_State *L)
{
	return start(L, EXEC_KEEP_BYTES);
}

/* read(spec): does what run() does, and keeps as much output as io.popen does. */
static int exec_read(lua_State *L)
{
	return start(L, POPEN_KEEP_BYTES);
}

int luaopen_plusmoin_exec(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "run", exec_run }, { "read", exec_read }, { NULL, NULL },
	};

	luaL_newlib(L, functions);
	return 1;
}
