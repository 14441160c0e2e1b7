#include "command/lua_types.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "command/module.h"
#include "script/api.h"

#define MODULE "plusmoin.lua_types"
#define LUARC ".luarc.json"
#define BESIDE ".plusmoin-lua-types" /* the directory in the working directory, for the project there */
#define TEXT_MAX ((size_t)1 << 20) /* bytes that are read of a file that is there already */

enum { FINE = 0, FAILED = 1, USAGE = 2 };

struct types {
	char *dir;           /* as messages name it */
	const char *project; /* the directory of .luarc.json, as messages name it */
	char *library;       /* `dir` as .luarc.json names it */
	int dir_fd;
	int project_fd;
	int status;
};

static void complain(struct types *types, const char *dir, const char *name, const char *why)
{
	(void)fprintf(stderr, "plusmoin: %s%s%s: %s\n", dir, name != NULL ? "/" : "", name != NULL ? name : "", why);
	types->status = FAILED;
}

/* Reads the file, as far as it can be read. True: the file is there. */
static bool read_there(int at, const char *name, struct buf *text)
{
	int fd = openat(at, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char bytes[65536];
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return errno != ENOENT;
	while (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && text->len <= TEXT_MAX &&
	       (n = read(fd, bytes, sizeof(bytes))) > 0)
		buf_add(text, bytes, (size_t)n);
	close(fd);
	return true;
}

/* Makes a new file that must not be there. False: errno. */
static bool write_new(int at, const char *name, const char *text, size_t len)
{
	int fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	bool done = fd >= 0;
	int error;

	while (done && len > 0) {
		ssize_t n = write(fd, text, len);

		done = n >= 0 || errno == EINTR;
		text += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	if (fd < 0)
		return false;
	if (close(fd) != 0)
		done = false;
	if (!done) {
		error = errno;
		(void)unlinkat(at, name, 0);
		errno = error;
	}
	return done;
}

/* Puts a file in the place of the one that is there, as a whole. False: errno. */
static bool replace(int at, const char *name, const char *text, size_t len)
{
	char *temporary = mem_printf("%s~", name);
	bool done = (unlinkat(at, temporary, 0) == 0 || errno == ENOENT) && write_new(at, temporary, text, len) &&
		    renameat(at, temporary, at, name) == 0;

	free(temporary);
	return done;
}

/* Returns the name without slashes at its end; the caller's. */
static char *take_dir(const char *name)
{
	size_t len = strlen(name);

	while (len > 1 && name[len - 1] == '/')
		len--;
	return mem_strndup(name, len);
}

/* Opens `dir`, which is made where it is missing; false, after a message. */
static bool open_dir(struct types *types)
{
	if (mkdir(types->dir, 0777) != 0 && errno != EEXIST) {
		complain(types, types->dir, NULL, strerror(errno));
		return false;
	}
	types->dir_fd = open(types->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (types->dir_fd >= 0)
		return true;
	complain(types, types->dir, NULL,
		 errno == ENOTDIR ? "is a file; allowed: a directory, or a name for a new one" : strerror(errno));
	return false;
}

/* Finds the directory of .luarc.json, and what that file calls `dir`. False, after a message. */
static bool find_project(struct types *types, bool beside)
{
	types->project = beside ? "." : types->dir;
	types->project_fd = beside ? open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : dup(types->dir_fd);
	types->library = beside ? mem_strdup(BESIDE) : realpath(types->dir, NULL);
	if (types->project_fd >= 0 && types->library != NULL)
		return true;
	complain(types, types->project, NULL, strerror(errno));
	return false;
}

/* Calls the module's function with `count` arguments at the top, and puts its result in their place. Raises. */
static void call(lua_State *L, const char *name, int count)
{
	module_push(L, MODULE);
	lua_getfield(L, -1, name);
	lua_insert(L, -count - 2); /* function arguments module */
	lua_pop(L, 1);
	lua_call(L, count, 1);
}

/* Whether the file of this name may be written: it is not there, or was made here. Raises. */
static bool may_write(lua_State *L, struct types *types, const char *name)
{
	struct buf text = { 0 };
	bool may = !read_there(types->dir_fd, name, &text);

	if (!may) {
		lua_pushlstring(L, buf_text(&text), text.len);
		buf_free(&text); /* before anything may raise */
		call(L, "is_ours", 1);
		may = lua_toboolean(L, -1);
		lua_pop(L, 1);
	}
	if (!may)
		complain(types, types->dir, name, "is there already and was not made by lua-types, so it is not"
			 " written over; allowed: a directory of its own");
	return may;
}

/* Writes the files of the list at the top, if none of them is in the way. Raises. */
static void write_files(lua_State *L, struct types *types)
{
	lua_Integer count = luaL_len(L, -1);
	const char *name;
	size_t len;

	for (int pass = 0; pass < 2; pass++) { /* nothing is written before all may be */
		for (lua_Integer i = 1; i <= count && types->status == FINE; i++) {
			lua_rawgeti(L, -1, i);
			lua_getfield(L, -1, "name");
			lua_getfield(L, -2, "text");
			name = lua_tostring(L, -2);
			if (pass == 0)
				(void)may_write(L, types, name);
			else if (!replace(types->dir_fd, name, lua_tolstring(L, -1, &len), lua_rawlen(L, -1)))
				complain(types, types->dir, name, strerror(errno));
			lua_pop(L, 3);
		}
	}
	if (types->status == FINE)
		(void)printf("%s: %lld files of definitions\n", types->dir, (long long)count);
}

/* Says what the .luarc.json that is there lacks, if anything. Raises. */
static void advise(lua_State *L, const struct types *types)
{
	struct buf text = { 0 };

	(void)read_there(types->project_fd, LUARC, &text);
	lua_pushlstring(L, buf_text(&text), text.len);
	buf_free(&text);
	lua_pushstring(L, types->library);
	call(L, "lacks", 2);
	if (lua_isnil(L, -1))
		(void)printf("%s/" LUARC ": is there already, and names them\n", types->project);
	else
		(void)printf("%s/" LUARC ": is there already, and stays as it is; %s\n", types->project,
			     lua_tostring(L, -1));
	lua_pop(L, 1);
}

static void write_luarc(lua_State *L, struct types *types)
{
	size_t len;
	const char *text;

	lua_pushstring(L, types->library);
	call(L, "luarc", 1);
	text = lua_tolstring(L, -1, &len);
	if (write_new(types->project_fd, LUARC, text, len))
		(void)printf("%s/" LUARC ": new, for lua-language-server%s\n", types->project,
			     types->project == types->dir ? "; copy it into the directory that your editor opens" : "");
	else if (errno == EEXIST)
		advise(L, types);
	else
		complain(types, types->project, LUARC, strerror(errno));
	lua_pop(L, 1);
}

/* Protected, with struct types at 1: writes all files. */
static int write_all(lua_State *L)
{
	struct types *types = lua_touserdata(L, 1);

	lua_pushliteral(L, PLUSMOIN_VERSION);
	call(L, "files", 1);
	write_files(L, types);
	if (types->status == FINE)
		write_luarc(L, types);
	return 0;
}

static void make(struct types *types)
{
	struct engine engine;

	if (!engine_open_alone(&engine)) {
		types->status = FAILED;
		return;
	}
	lua_pushcfunction(engine.L, write_all);
	lua_pushlightuserdata(engine.L, types);
	if (lua_pcall(engine.L, 1, 0, 0) != LUA_OK)
		complain(types, types->dir, NULL, lua_tostring(engine.L, -1));
	engine_close(&engine);
}

int command_lua_types(const char *dir)
{
	struct types types = { .dir_fd = -1, .project_fd = -1 };

	if (dir != NULL && *dir == '\0') {
		(void)fprintf(stderr, "plusmoin: lua-types: the name of the directory is empty\n");
		return USAGE;
	}
	types.dir = take_dir(dir != NULL ? dir : BESIDE);
	if (open_dir(&types) && find_project(&types, dir == NULL))
		make(&types);
	if (types.dir_fd >= 0)
		close(types.dir_fd);
	if (types.project_fd >= 0)
		close(types.project_fd);
	free(types.library);
	free(types.dir);
	return types.status;
}
