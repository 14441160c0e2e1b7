#include "script/loader.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "script/engine.h"

static char *get_string(lua_State *L, const char *key)
{
	char *text;

	lua_getfield(L, -1, key);
	text = mem_strdup(lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL);
	lua_pop(L, 1);
	return text;
}

static int get_int(lua_State *L, const char *key)
{
	int number;

	lua_getfield(L, -1, key);
	number = (int)lua_tonumber(L, -1);
	lua_pop(L, 1);
	return number;
}

static int64_t get_ms(lua_State *L, const char *key)
{
	double seconds;

	lua_getfield(L, -1, key);
	seconds = lua_tonumber(L, -1);
	lua_pop(L, 1);
	return (int64_t)(seconds * 1000.0 + 0.5);
}

/* The array at the top as strings; empty when it is none. */
static char **get_strings(lua_State *L, size_t *count)
{
	size_t n = lua_istable(L, -1) ? (size_t)lua_rawlen(L, -1) : 0;
	char **strings = mem_zalloc(n + 1, sizeof(*strings));

	for (size_t i = 0; i < n; i++) {
		lua_rawgeti(L, -1, (lua_Integer)i + 1);
		strings[i] = mem_strdup(lua_tostring(L, -1));
		lua_pop(L, 1);
	}
	*count = n;
	return strings;
}

static char **get_string_array(lua_State *L, const char *key, size_t *count)
{
	char **strings;

	lua_getfield(L, -1, key);
	strings = get_strings(L, count);
	lua_pop(L, 1);
	return strings;
}

static void read_connection(lua_State *L, struct config_node *node)
{
	lua_getfield(L, -1, "connection"); /* pairs */
	node->connection_count = (size_t)lua_rawlen(L, -1);
	node->connection = mem_zalloc(node->connection_count, sizeof(*node->connection));
	for (size_t i = 0; i < node->connection_count; i++) {
		lua_rawgeti(L, -1, (lua_Integer)i + 1); /* pairs pair */
		lua_rawgeti(L, -1, 1);
		lua_rawgeti(L, -2, 2); /* pairs pair key value */
		node->connection[i].key = mem_strdup(lua_tostring(L, -2));
		node->connection[i].value = mem_strdup(lua_tostring(L, -1));
		lua_pop(L, 3);
	}
	lua_pop(L, 1);
}

static void read_nodes(lua_State *L, struct config *config)
{
	lua_getfield(L, -1, "nodes"); /* nodes */
	config->node_count = (size_t)lua_rawlen(L, -1);
	config->nodes = mem_zalloc(config->node_count, sizeof(*config->nodes));
	for (size_t i = 0; i < config->node_count; i++) {
		struct config_node *node = &config->nodes[i];

		lua_rawgeti(L, -1, (lua_Integer)i + 1); /* nodes node */
		node->id = get_string(L, "id");
		node->name = get_string(L, "name");
		node->host = get_string(L, "host");
		node->port = get_int(L, "port");
		node->user = get_string(L, "user");
		node->password = get_string(L, "password");
		node->dbname = get_string(L, "dbname");
		read_connection(L, node);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

static void read_trigger(lua_State *L, struct config_trigger *trigger)
{
	trigger->count = lua_istable(L, -1) ? (size_t)lua_rawlen(L, -1) : 0;
	trigger->actions = mem_zalloc(trigger->count, sizeof(*trigger->actions));
	for (size_t i = 0; i < trigger->count; i++) {
		size_t ignored;

		lua_rawgeti(L, -1, (lua_Integer)i + 1); /* actions action */
		trigger->actions[i].path = get_string(L, "path");
		if (lua_getfield(L, -1, "argv") == LUA_TTABLE)
			trigger->actions[i].argv = get_strings(L, &ignored);
		lua_pop(L, 1);
		trigger->actions[i].source = get_string(L, "source");
		if (lua_getfield(L, -1, "run") == LUA_TFUNCTION)
			trigger->actions[i].function = luaL_ref(L, LUA_REGISTRYINDEX);
		else
			lua_pop(L, 1);
		trigger->actions[i].timeout_ms = get_ms(L, "timeout");
		lua_pop(L, 1);
	}
}

static void read_triggers(lua_State *L, struct config *config)
{
	lua_getfield(L, -1, "triggers"); /* triggers */
	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS; kind++) {
		lua_getfield(L, -1, event_kind_name((enum event_kind)kind));
		read_trigger(L, &config->triggers[kind]);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

static void read_times(lua_State *L, struct config *config)
{
	config->heartbeat_ms = get_ms(L, "heartbeat");
	config->max_sync_delay_ms = get_ms(L, "max_sync_delay");
	config->recover_sync_delay_ms = get_ms(L, "recover_sync_delay");
	config->connect_timeout_ms = get_ms(L, "connect_timeout");
	config->query_timeout_ms = get_ms(L, "query_timeout");
	config->retry_interval_ms = get_ms(L, "retry_interval");
	config->restart_grace_ms = get_ms(L, "restart_grace");
	config->shutdown_grace_ms = get_ms(L, "shutdown_grace");
	config->down_after = get_int(L, "down_after");
	config->trigger_parallel = get_int(L, "trigger_parallel");
}

static void read_lua(lua_State *L, struct config *config)
{
	lua_getfield(L, -1, "lua"); /* lua */
	if (lua_istable(L, -1)) {
		config->lua_patience_ms = get_ms(L, "patience");
		lua_getfield(L, -1, "memory_limit");
		config->lua_memory_bytes = (int64_t)(lua_tonumber(L, -1) * 1048576.0);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

/* The normalised table at the top becomes a struct. */
static struct config *read_config(lua_State *L, const char *path)
{
	struct config *config = config_new();

	config->path = mem_strdup(path);
	read_times(L, config);
	config->is_slave_statement = get_string(L, "is_slave_statement");
	config->daemon_user = get_string(L, "daemon_user");
	config->log_file = get_string(L, "log_file");
	config->log_level = get_string(L, "log_level");
	config->log_format = get_string(L, "log_format");
	config->pid_file = get_string(L, "pid_file");
	config->status_file = get_string(L, "status_file");
	config->control_socket = get_string(L, "control_socket");
	config->secrets = get_string_array(L, "secrets", &config->secret_count);
	read_nodes(L, config);
	read_triggers(L, config);
	read_lua(L, config);
	return config;
}

static int file_exists(lua_State *L)
{
	lua_pushboolean(L, access(luaL_checkstring(L, 1), F_OK) == 0);
	return 1;
}

/* What the loader cannot know by itself: { libpq_keywords =, cwd =, trigger_dir =, exists = } */
static void push_env(lua_State *L)
{
	PQconninfoOption *options = PQconndefaults();
	char *cwd = getcwd(NULL, 0);

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
	if (cwd != NULL) {
		lua_pushstring(L, cwd);
		lua_setfield(L, -2, "cwd");
	}
	free(cwd);
	lua_pushliteral(L, PLUSMOIN_PREFIX "/share/plusmoin/triggers");
	lua_setfield(L, -2, "trigger_dir");
	lua_pushcfunction(L, file_exists);
	lua_setfield(L, -2, "exists");
}

/* Pushes plusmoin.config.load and its arguments. */
static int prepare_load(lua_State *L)
{
	lua_getglobal(L, "require");
	lua_pushliteral(L, "plusmoin.config");
	lua_call(L, 1, 1); /* path module */
	lua_getfield(L, -1, "load");
	lua_pushvalue(L, 1);
	push_env(L); /* path module load path env */
	return 3;
}

static void say_failed(struct load_report *report, const char *path, const char *what)
{
	report->errors = mem_zalloc(2, sizeof(char *));
	report->errors[0] = mem_printf("%s: %s", path, what);
	report->error_count = 1;
}

/* Protected: the result's tables become structs. */
struct reading {
	const char *path;
	struct load_report *report;
	struct config *config;
};

static int read_result(lua_State *L)
{
	struct reading *reading = lua_touserdata(L, 2);
	struct load_report *report = reading->report;

	lua_settop(L, 1);
	report->errors = get_string_array(L, "errors", &report->error_count);
	report->warnings = get_string_array(L, "warnings", &report->warning_count);
	lua_getfield(L, -1, "files"); /* result files */
	if (lua_istable(L, -1)) {
		report->status_file = get_string(L, "status_file");
		report->control_socket = get_string(L, "control_socket");
	}
	lua_pop(L, 1);
	lua_getfield(L, -1, "config"); /* result config */
	if (report->error_count == 0 && lua_istable(L, -1))
		reading->config = read_config(L, reading->path);
	return 0;
}

struct config *load_config(struct engine *engine, const char *path, int64_t ms,
			   struct load_report *report)
{
	struct reading reading = { .path = path, .report = report };
	lua_State *L = engine->L;
	int top = lua_gettop(L);
	char *error = NULL;

	*report = (struct load_report){ 0 };
	lua_pushcfunction(L, prepare_load);
	lua_pushstring(L, path);
	if (lua_pcall(L, 1, 3, 0) != LUA_OK) {
		say_failed(report, path, lua_tostring(L, -1));
	} else if (!run_load(engine, 2, ms, &error)) {
		say_failed(report, path, error);
	} else {
		lua_pushcfunction(L, read_result);
		lua_insert(L, -2);
		lua_pushlightuserdata(L, &reading);
		if (lua_pcall(L, 2, 0, 0) != LUA_OK)
			say_failed(report, path, "the loader's answer cannot be read");
	}
	free(error);
	lua_settop(L, top);
	return reading.config;
}

static void free_strings(char **strings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(strings[i]);
	free(strings);
}

void load_report_free(struct load_report *report)
{
	free_strings(report->errors, report->error_count);
	free_strings(report->warnings, report->warning_count);
	free(report->status_file);
	free(report->control_socket);
	*report = (struct load_report){ 0 };
}
