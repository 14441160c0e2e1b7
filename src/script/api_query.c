/*
 * plusmoin.query: ask(spec) is pm.query's C half (contract.md, "Lua triggers"; the
 * arguments are checked in lua/plusmoin/query.lua). A run's connections are kept
 * until it ends. Host's thread.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pg/session.h"
#include "script/api.h"
#include "script/run.h"
#include "script/tables.h"

/* Types whose values are more than strings (pg_type.dat, which never changes). */
enum {
	OID_BOOL = 16,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_OID = 26,
	OID_FLOAT4 = 700,
	OID_FLOAT8 = 701,
	OID_NUMERIC = 1700,
};

#define EXACT 9007199254740992.0 /* 2^53: beyond it a Lua number may not be exactly the numeric */

/* One question under way. Freed by release(). */
struct query {
	struct run *run;
	struct session *session;
	char *error;
	struct rows rows;
};

static void release(void *data)
{
	struct query *query = data;

	free(query->error);
	rows_free(&query->rows);
	free(query);
}

static void drop_session(struct run *run, struct session *session)
{
	list_remove(&run->sessions, session);
	session_free(&session);
}

static void cancel(void *data)
{
	struct query *query = data;

	if (query->session != NULL)
		drop_session(query->run, query->session);
}

static void on_answer(void *data, const char *error, struct rows *rows)
{
	struct query *query = data;

	query->session = NULL; /* the run keeps the session, and cancel() must not close it */
	query->error = mem_strdup(error);
	if (rows != NULL) {
		query->rows = *rows;
		*rows = (struct rows){ 0 };
	}
	run_wake(query->run);
}

static void push_number(lua_State *L, struct value value, Oid type)
{
	if (lua_stringtonumber(L, value.text) == 0) { /* NaN, Infinity */
		double number = strtod(value.text, NULL);

		lua_pushnumber(L, number);
	}
	if (type == OID_NUMERIC && fabs(lua_tonumber(L, -1)) > EXACT &&
	    !isinf(lua_tonumber(L, -1))) {
		lua_pop(L, 1);
		lua_pushlstring(L, value.text, value.len);
	}
}

static void push_value(lua_State *L, struct value value, Oid type)
{
	switch (type) {
	case OID_BOOL:
		lua_pushboolean(L, value.text[0] == 't');
		return;
	case OID_INT8:
	case OID_INT2:
	case OID_INT4:
	case OID_OID:
		lua_pushinteger(L, strtoll(value.text, NULL, 10));
		return;
	case OID_FLOAT4:
	case OID_FLOAT8:
	case OID_NUMERIC:
		push_number(L, value, type);
		return;
	default:
		lua_pushlstring(L, value.text, value.len);
	}
}

static void push_row(lua_State *L, const struct rows *rows, size_t *at)
{
	lua_createtable(L, 0, (int)rows->column_count);
	for (size_t i = 0; i < rows->column_count; i++) {
		struct value value = rows_next(rows, at);

		if (value.text == NULL)
			lua_pushnil(L); /* also takes out an earlier column of this name, as the last one counts */
		else
			push_value(L, value, rows->columns[i].type);
		lua_setfield(L, -2, rows->columns[i].name);
	}
}

static int finish(lua_State *L, void *data)
{
	const struct query *query = data;
	const struct rows *rows = &query->rows;
	size_t at = 0;

	if (query->error != NULL) {
		lua_pushnil(L);
		lua_pushstring(L, query->error);
		return 2;
	}
	luaL_checkstack(L, 6, NULL);
	lua_createtable(L, rows->column_count > 0 ? (int)rows->count : 0, 2);
	luaL_setmetatable(L, ARRAY_MARK);
	for (size_t i = 0; rows->column_count > 0 && i < rows->count; i++) {
		push_row(L, rows, &at);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_pushinteger(L, (lua_Integer)rows->count);
	lua_setfield(L, -2, "n");
	lua_pushstring(L, rows->command != NULL ? rows->command : "");
	lua_setfield(L, -2, "command");
	return 1;
}

/* The configured node of this host and port; NULL if there is none. */
static const struct config_node *find_node(const struct engine *engine, const char *host, int port)
{
	char *id = mem_printf("%s:%d", host, port);
	const struct config_node *node =
		engine->nodes != NULL ? config_find_node(engine->nodes, id) : NULL;

	free(id);
	return node;
}

/* Replaces *text by this field of the spec, if that is a string. */
static void take_text(lua_State *L, const char *key, char **text)
{
	if (lua_getfield(L, 1, key) == LUA_TSTRING) {
		free(*text);
		*text = mem_strdup(lua_tostring(L, -1));
	}
	lua_pop(L, 1);
}

/* Makes the target of the query: the configured node, with the spec's own fields in place of its settings. */
static void take_target(lua_State *L, const struct engine *engine, struct config_node *node)
{
	const struct config_node *known;
	struct config_node plain = { 0 };

	lua_getfield(L, 1, "host");
	plain.host = mem_strdup(luaL_checkstring(L, -1));
	lua_pop(L, 1);
	lua_getfield(L, 1, "port");
	plain.port = (int)lua_tointeger(L, -1);
	lua_pop(L, 1);
	known = find_node(engine, plain.host, plain.port);
	config_node_copy(node, known != NULL ? known : &plain);
	config_node_clear(&plain);
	take_text(L, "user", &node->user);
	take_text(L, "password", &node->password);
	take_text(L, "dbname", &node->dbname);
	if (lua_getfield(L, 1, "connection") == LUA_TTABLE) {
		lua_pushnil(L);
		while (lua_next(L, -2) != 0) {
			config_node_set(node, lua_tostring(L, -2), lua_tostring(L, -1));
			lua_pop(L, 1);
		}
	}
	lua_pop(L, 1);
}

/* The run's session for this target; makes one if there is none. Takes over what `node` holds. */
static struct session *find_session(struct run *run, struct config_node *node, bool bare)
{
	struct engine *engine = run->engine;
	struct session *session;

	for (size_t i = 0; i < run->sessions.count; i++) {
		if (session_is_for(run->sessions.items[i], node, bare)) {
			config_node_clear(node);
			return run->sessions.items[i];
		}
	}
	session = session_new(engine->loop, engine_resolver(engine), node, bare);
	list_add(&run->sessions, session);
	return session;
}

void query_end_sessions(struct run *run)
{
	while (run->sessions.count > 0)
		drop_session(run, run->sessions.items[0]);
	list_free(&run->sessions);
}

/* The spec's parameters as a C array, which the caller frees; the texts stay Lua's. */
static const char **take_params(lua_State *L, int count)
{
	const char **params = mem_zalloc((size_t)count + 1, sizeof(*params));

	lua_getfield(L, 1, "params");
	for (int i = 0; i < count; i++) {
		if (lua_rawgeti(L, -1, i + 1) == LUA_TSTRING)
			params[i] = lua_tostring(L, -1);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	return params;
}

/*
 * ask{host, port, user, password, dbname, connection = {keyword = text}, admin, sql,
 * params = {n texts, false for NULL}, count = n or nil, timeout = s}: waits; rows, or
 * nil and a message. Raises where nothing can wait.
 */
static int query_ask(lua_State *L)
{
	struct run *run = run_check_wait(L, "pm.query");
	struct wait wait = { .what = "query", .cancel = cancel, .finish = finish, .release = release };
	struct question question = { .timeout_ms = run_left_ms(run) };
	struct config_node node;
	struct query *query;
	const char **params = NULL;
	bool admin;

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	lua_getfield(L, 1, "admin");
	admin = lua_toboolean(L, -1) != 0;
	if (lua_getfield(L, 1, "timeout") == LUA_TNUMBER)
		question.timeout_ms = (int64_t)ceil(lua_tonumber(L, -1) * 1000.0);
	if (lua_getfield(L, 1, "count") == LUA_TNUMBER) {
		question.param_count = (int)lua_tointeger(L, -1);
		params = take_params(L, question.param_count);
	}
	question.params = params;
	lua_getfield(L, 1, "sql");
	question.sql = lua_tostring(L, -1);
	query = mem_zalloc(1, sizeof(*query));
	query->run = run;
	take_target(L, run->engine, &node);
	query->session = find_session(run, &node, admin);
	session_ask(query->session, &question, on_answer, query);
	free(params);
	lua_settop(L, 1);
	wait.data = query;
	return run_wait(L, run, &wait);
}

int luaopen_plusmoin_query(lua_State *L)
{
	static const luaL_Reg functions[] = { { "ask", query_ask }, { NULL, NULL } };

	luaL_newlib(L, functions);
	return 1;
}
