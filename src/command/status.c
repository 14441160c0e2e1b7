#include "command/status.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "command/ask.h"
#include "command/module.h"
#include "command/running.h"
#include "loop/clock.h"
#include "script/api.h"
#include "script/state.h"

#define FILE_MAX ((size_t)256 << 20)

/*
 * Whether root may show the file to whoever reads what root prints. A daemon that names a file as its own has written
 * it: the check keeps it from having root read a file of somebody else.
 */
static bool is_for_us(const struct running *running, const struct stat *st)
{
	return running->pid == 0 || geteuid() != 0 || st->st_uid == running->uid;
}

/* Reads the status file, and finds out how old it is. */
static bool read_file(const struct running *running, struct buf *out, double *age_s)
{
	/* daemon_user may have put a link there to what only we may read */
	const char *path = running->names.report.names.status_file;
	int fd = path != NULL ? open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
	struct stat st;
	char bytes[4096];
	ssize_t n = -1;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && is_for_us(running, &st)) {
		while ((n = read(fd, bytes, sizeof(bytes))) > 0 && out->len < FILE_MAX)
			buf_add(out, bytes, (size_t)n);
		*age_s = (double)(clock_wall_ms() - (int64_t)st.st_mtime * 1000) / 1000.0;
	}
	close(fd);
	return n >= 0;
}

/* Calls plusmoin.status.FUNCTION(text-or-table, options) and prints what it returns. */
static int render(lua_State *L)
{
	bool from_file = lua_toboolean(L, 2) != 0;

	module_push(L, "plusmoin.status");
	lua_getfield(L, -1, from_file ? "render_file" : "render");
	if (from_file)
		lua_pushvalue(L, 1);
	else
		module_push_json(L, 1);
	lua_newtable(L);
	lua_pushnumber(L, (double)clock_wall_ms() / 1000.0);
	lua_setfield(L, -2, "now");
	lua_pushvalue(L, 3);
	lua_setfield(L, -2, "age_seconds");
	lua_call(L, 2, 1);
	return 1;
}

static void print_table(lua_State *L, const char *text, bool from_file, double age_s)
{
	lua_pushcfunction(L, render);
	lua_pushstring(L, text);
	lua_pushboolean(L, from_file);
	lua_pushnumber(L, age_s);
	if (lua_pcall(L, 3, 1, 0) != LUA_OK)
		(void)fprintf(stderr, "plusmoin: the answer cannot be shown: %s\n",
			      lua_tostring(L, -1));
	else
		(void)fputs(luaL_tolstring(L, -1, NULL), stdout);
}

static int status_from_file(lua_State *L, const struct running *running)
{
	const struct load_files *files = &running->names.report.names;
	struct buf text = { 0 };
	double age_s;

	if (!read_file(running, &text, &age_s)) {
		(void)fprintf(stderr, "plusmoin: no daemon answers at %s, and there is no status file %s\n",
			      files->control_socket, files->status_file);
		return 1;
	}
	print_table(L, buf_text(&text), true, age_s);
	buf_free(&text);
	return 1;
}

static int print_json(const struct running *running, bool runs)
{
	struct buf text = { 0 };
	double age_s;

	if (!read_file(running, &text, &age_s)) {
		(void)fprintf(stderr, "plusmoin: cannot read status file %s\n",
			      running->names.report.names.status_file);
		return 1;
	}
	(void)fputs(buf_text(&text), stdout);
	buf_free(&text);
	return runs ? 0 : 1;
}

int command_status(const char *config_path, bool as_json)
{
	struct engine engine;
	struct running running;
	struct buf answer = { 0 };
	bool runs;
	int status = 0;

	if (!running_find(config_path, &running))
		return 1;
	runs = (as_json && running.pid > 0) ||
	       ask(running.names.report.names.control_socket, "{\"request\": \"status\"}\n", ASK_MS, &answer) ==
		       ASK_ANSWERED;
	if (as_json)
		status = print_json(&running, runs);
	else if (!engine_open_alone(&engine))
		status = 1;
	else {
		if (runs)
			print_table(engine.L, buf_text(&answer), false, 0);
		else
			status = status_from_file(engine.L, &running);
		engine_close(&engine);
	}
	buf_free(&answer);
	running_free(&running);
	return status;
}
