#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "io/clock.h"
#include "script/engine.h"
#include "script/host.h"

#define ANSWER_S 5

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = ANSWER_S };
	int fd;

	if (path == NULL || strlen(path) >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* One request, one answer; false when nobody answers. */
static bool ask(const char *path, const char *request, struct buf *answer)
{
	int fd = connect_to(path);
	char bytes[4096];
	ssize_t n;

	if (fd < 0)
		return false;
	if (send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request)) {
		while ((n = read(fd, bytes, sizeof(bytes))) > 0) {
			buf_add(answer, bytes, (size_t)n);
			if (answer->data[answer->len - 1] == '\n')
				break;
		}
	}
	close(fd);
	return answer->len > 0 && answer->data[answer->len - 1] == '\n';
}

static bool read_file(const char *path, struct buf *out, double *age_s)
{
	FILE *file = path != NULL ? fopen(path, "re") : NULL;
	struct stat st;
	char bytes[4096];
	size_t n;

	if (file == NULL)
		return false;
	while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
		buf_add(out, bytes, n);
	*age_s = fstat(fileno(file), &st) == 0
			 ? (double)(clock_wall_ms() - (int64_t)st.st_mtime * 1000) / 1000.0
			 : 0;
	(void)fclose(file);
	return true;
}

/* Calls plusmoin.status.FUNCTION(text-or-table, options) and prints what it returns. */
static int render(lua_State *L)
{
	bool from_file = lua_toboolean(L, 2) != 0;

	lua_getglobal(L, "require");
	lua_pushliteral(L, "plusmoin.status");
	lua_call(L, 1, 1);
	lua_getfield(L, -1, from_file ? "render_file" : "render");
	if (from_file) {
		lua_pushvalue(L, 1);
	} else {
		lua_getglobal(L, "require");
		lua_pushliteral(L, "cjson");
		lua_call(L, 1, 1);
		lua_getfield(L, -1, "decode");
		lua_remove(L, -2);
		lua_pushvalue(L, 1);
		lua_call(L, 1, 1);
	}
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

static int status_from_file(lua_State *L, const struct load_report *files)
{
	struct buf text = { 0 };
	double age_s;

	if (!read_file(files->status_file, &text, &age_s)) {
		(void)fprintf(stderr, "plusmoin: no daemon answers at %s, and there is no status file %s\n",
			      files->control_socket, files->status_file);
		return 1;
	}
	print_table(L, buf_text(&text), true, age_s);
	buf_free(&text);
	return 1;
}

static int print_json(const struct load_report *files, bool runs)
{
	struct buf text = { 0 };
	double age_s;

	if (!read_file(files->status_file, &text, &age_s)) {
		(void)fprintf(stderr, "plusmoin: cannot read status file %s\n", files->status_file);
		return 1;
	}
	(void)fputs(buf_text(&text), stdout);
	buf_free(&text);
	return runs ? 0 : 1;
}

static void say_broken(const struct load_report *report)
{
	if (report->error_count == 0)
		return;
	for (size_t i = 0; i < report->error_count; i++)
		(void)fprintf(stderr, "%s\n", report->errors[i]);
	(void)fprintf(stderr, "plusmoin: the configuration is broken: going by status file %s and"
			      " control socket %s\n", report->status_file, report->control_socket);
}

int client_status(const char *config_path, bool as_json)
{
	struct engine engine;
	struct load_report report;
	struct buf answer = { 0 };
	struct config *config;
	bool runs;
	int status = 0;

	if (!engine_open_alone(&engine))
		return 1;
	config = load_config(&engine, config_path, HOST_LOAD_MS, &report);
	say_broken(&report);
	runs = ask(report.control_socket, "{\"request\": \"status\"}\n", &answer);
	if (as_json)
		status = print_json(&report, runs);
	else if (runs)
		print_table(engine.L, buf_text(&answer), false, 0);
	else
		status = status_from_file(engine.L, &report);
	buf_free(&answer);
	config_unref(&config);
	load_report_free(&report);
	engine_close(&engine);
	return status;
}
