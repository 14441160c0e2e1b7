/*
 * plusmoin.reads keeps in a load's record (record.h) what the load reads from outside. When the load's script host is
 * made again, it gives the load what the record has, and not what is there now. Host's thread.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "script/api.h"
#include "script/load_env.h"
#include "script/run.h"

static bool is_loading(lua_State *L)
{
	const struct run *run = run_of(L);

	return run != NULL && run->job == NULL;
}

/* Raises: a load that is made again asks for what it did not ask for when it was accepted, so it is not the same. */
static int stray(lua_State *L, const char *verb, const char *what)
{
	struct engine *engine = engine_of(L);

	if (engine->strayed == NULL)
		engine->strayed = mem_printf("%s %s, which it did not when it was accepted", verb,
					     what);
	return luaL_error(L, "%s", engine->strayed);
}

/* Whether the fact is in the record. Raises if it is not and the load is made again, which may read nothing else. */
static bool find(lua_State *L, enum fact_kind kind, const char *name, struct fact *fact)
{
	const struct engine *engine = engine_of(L);

	if (record_find(engine->record, kind, name, fact))
		return true;
	if (is_loading(L) && engine->again)
		(void)stray(L, "reads", name);
	return false;
}

/* mode(): "keep" during a load whose reads are kept, "give" while a load is made again, else nil. */
static int reads_mode(lua_State *L)
{
	const struct engine *engine = engine_of(L);

	if (engine->record == NULL || !is_loading(L))
		lua_pushnil(L);
	else
		lua_pushstring(L, engine->again ? "give" : "keep");
	return 1;
}

/* is_kept(): whether there is a record. `require` asks this, as modules are kept whenever they are read. */
static int reads_is_kept(lua_State *L)
{
	lua_pushboolean(L, engine_of(L)->record != NULL);
	return 1;
}

/* The kind of an open file that has no text; NULL: it has one. */
static const char *special_name(FILE *file)
{
	struct stat st;

	if (fstat(fileno(file), &st) != 0)
		return NULL;
	if (S_ISDIR(st.st_mode))
		return "directory";
	return S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode) ? "device" : NULL;
}

/* Returns 0 or an error number; EFBIG: the file has more than RECORD_FILE_BYTES. */
static int read_all(FILE *file, struct buf *text)
{
	char part[65536];
	size_t len;

	while ((len = fread(part, 1, sizeof(part), file)) > 0 && text->len <= RECORD_FILE_BYTES)
		buf_add(text, part, len);
	if (ferror(file) != 0)
		return errno != 0 ? errno : EIO;
	return text->len > RECORD_FILE_BYTES ? EFBIG : 0;
}

static void keep_text(struct record *record, const char *path)
{
	FILE *file = fopen(path, "re");
	struct fact fact = { .error = file == NULL ? errno : 0 };
	enum fact_kind kind = FACT_TEXT;
	struct buf text = { 0 };
	char *why;

	if (file != NULL) {
		fact.bytes = special_name(file);
		kind = fact.bytes != NULL ? FACT_SPECIAL : FACT_TEXT;
	}
	if (kind == FACT_SPECIAL) {
		fact.len = strlen(fact.bytes);
	} else if (file != NULL) {
		fact.error = read_all(file, &text);
		fact.bytes = fact.error == 0 ? text.data : NULL;
		fact.len = fact.error == 0 ? text.len : 0;
	}
	if (fact.error == EFBIG) {
		why = mem_printf("%s is bigger than %d MiB, and not kept", path,
				 (int)(RECORD_FILE_BYTES >> 20));
		record_spoil(record, why);
		free(why);
	} else {
		record_keep(record, kind, path, &fact);
		if (file != NULL && load_env_is_foreign(fileno(file)))
			record_keep(record, FACT_FOREIGN, path, &(struct fact){ 0 });
	}
	buf_free(&text);
	if (file != NULL)
		(void)fclose(file);
}

static int push_text(lua_State *L, const char *path, const struct fact *fact)
{
	if (fact->error == 0) {
		lua_pushlstring(L, fact->bytes, fact->len);
		return 1;
	}
	lua_pushnil(L);
	lua_pushfstring(L, "%s: %s", path, strerror(fact->error));
	lua_pushinteger(L, fact->error);
	return 3;
}

/*
 * text(path): the file's text; or nil, why, and the error's number; or false and "directory", "device" or "big" when
 * the text is not kept, and the caller has to read the file itself. Later calls give the first answer again.
 */
static int reads_text(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	struct record *record = engine_of(L)->record;
	struct fact fact;

	if (record_find(record, FACT_SPECIAL, path, &fact)) {
		lua_pushboolean(L, 0);
		lua_pushlstring(L, fact.bytes, fact.len);
		return 2;
	}
	if (find(L, FACT_TEXT, path, &fact))
		return push_text(L, path, &fact);
	keep_text(record, path);
	if (record_find(record, FACT_TEXT, path, &fact))
		return push_text(L, path, &fact);
	lua_pushboolean(L, 0);
	if (record_find(record, FACT_SPECIAL, path, &fact))
		lua_pushlstring(L, fact.bytes, fact.len);
	else
		lua_pushliteral(L, "big");
	return 2;
}

/* there(path): whether there is such a file that can be read. Later calls give the first answer again. */
static int reads_there(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	struct fact fact = { 0 };

	if (!find(L, FACT_FILE, path, &fact)) {
		fact.error = access(path, R_OK) == 0 ? 0 : errno;
		record_keep(engine_of(L)->record, FACT_FILE, path, &fact);
	}
	lua_pushboolean(L, fact.error == 0);
	return 1;
}

/* variable(name): a variable of the environment; nil if it is not set. Later calls give the first answer again. */
static int reads_variable(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);
	struct fact fact = { 0 };

	if (!find(L, FACT_VARIABLE, name, &fact)) {
		fact.bytes = getenv(name);
		fact.error = fact.bytes == NULL ? ENOENT : 0;
		fact.len = fact.bytes == NULL ? 0 : strlen(fact.bytes);
		record_keep(engine_of(L)->record, FACT_VARIABLE, name, &fact);
	}
	if (fact.error != 0)
		lua_pushnil(L);
	else
		lua_pushlstring(L, fact.bytes, fact.len);
	return 1;
}

/* deed(name): how this act (a file written, removed ...) ended when the load was accepted, as keep_deed() was told. */
static int reads_deed(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);
	struct fact fact;

	if (!record_find(engine_of(L)->record, FACT_DEED, name, &fact))
		return stray(L, "does", name);
	lua_pushlstring(L, fact.bytes, fact.len);
	return 1;
}

/* keep_deed(name, how): keeps how an act ended. */
static int reads_keep_deed(lua_State *L)
{
	struct fact fact = { 0 };

	fact.bytes = luaL_checklstring(L, 2, &fact.len);
	record_keep(engine_of(L)->record, FACT_DEED, luaL_checkstring(L, 1), &fact);
	return 0;
}

/* spoil(why): says that something was read which is not kept, so that the load cannot be made again. */
static int reads_spoil(lua_State *L)
{
	record_spoil(engine_of(L)->record, luaL_checkstring(L, 1));
	return 0;
}

/* pin(path): keeps a loaded library in memory for good, whatever becomes of its file. */
static int reads_pin(lua_State *L)
{
	void *library = dlopen(luaL_checkstring(L, 1), RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);

	if (library != NULL)
		(void)dlclose(library);
	return 0;
}

static int close_file(lua_State *L)
{
	luaL_Stream *stream = luaL_checkudata(L, 1, LUA_FILEHANDLE);

	return luaL_fileresult(L, fclose(stream->f) == 0, NULL);
}

/* Opens a stream, which may also write, on a file that exists in memory only and holds `bytes`; NULL with errno. */
static FILE *open_memory(const char *bytes, size_t len, const char *mode)
{
	int fd = memfd_create("plusmoin", MFD_CLOEXEC);
	FILE *file = NULL;
	size_t done = 0;
	ssize_t written = 0;

	while (fd >= 0 && done < len && written >= 0) {
		written = write(fd, bytes + done, len - done);
		if (written < 0 && errno == EINTR)
			written = 0;
		done += written > 0 ? (size_t)written : 0;
	}
	if (fd >= 0 && done == len && lseek(fd, 0, SEEK_SET) == 0)
		file = fdopen(fd, mode);
	if (file == NULL && fd >= 0)
		(void)close(fd);
	return file;
}

/* file(text, mode): an open file that holds the text; or nil and why. */
static int reads_file(lua_State *L)
{
	size_t len;
	const char *bytes = luaL_checklstring(L, 1, &len);
	const char *mode = luaL_checkstring(L, 2);
	luaL_Stream *stream = lua_newuserdatauv(L, sizeof(*stream), 1);

	stream->f = NULL;
	stream->closef = NULL; /* closed */
	luaL_setmetatable(L, LUA_FILEHANDLE);
	lua_pushvalue(L, 1);
	(void)lua_setiuservalue(L, -2, 1); /* keeps the text alive, which fmemopen() does not copy */
	if (mode[0] == 'r' && strchr(mode, '+') == NULL)
		stream->f = fmemopen((void *)bytes, len, "r");
	else
		stream->f = open_memory(bytes, len, mode);
	if (stream->f == NULL)
		return luaL_fileresult(L, 0, NULL);
	stream->closef = close_file;
	return 1;
}

int luaopen_plusmoin_reads(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "mode", reads_mode },
		{ "is_kept", reads_is_kept },
		{ "text", reads_text },
		{ "there", reads_there },
		{ "variable", reads_variable },
		{ "deed", reads_deed },
		{ "keep_deed", reads_keep_deed },
		{ "spoil", reads_spoil },
		{ "pin", reads_pin },
		{ "file", reads_file },
		{ NULL, NULL },
	};

	luaL_newlib(L, functions);
	return 1;
}
