#include "script/loader.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "loop/clock.h"
#include "script/functions.h"
#include "script/load_env.h"
#include "script/run.h"

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

static bool get_bool(lua_State *L, const char *key)
{
	bool value;

	lua_getfield(L, -1, key);
	value = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return value;
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

static void free_strings(char **strings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(strings[i]);
	free(strings);
}

static struct secrets *get_secrets(lua_State *L)
{
	size_t count;
	char **passwords = get_string_array(L, "secrets", &count);
	struct secrets *secrets = secrets_new(passwords, count);

	free_strings(passwords, count);
	return secrets;
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
		node->max_sync_delay_ms = get_ms(L, "max_sync_delay");
		node->recover_sync_delay_ms = get_ms(L, "recover_sync_delay");
		node->ignore_system_id = get_bool(L, "ignore_system_id");
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
		if (lua_getfield(L, -1, "run") == LUA_TFUNCTION) {
			trigger->actions[i].code = functions_code(L);
			trigger->actions[i].function = functions_add(L);
		} else {
			lua_pop(L, 1);
		}
		trigger->actions[i].timeout_ms = get_ms(L, "timeout");
		lua_getfield(L, -1, "acts_alone");
		trigger->actions[i].acts_alone = lua_toboolean(L, -1) != 0;
		lua_pop(L, 1);
		lua_getfield(L, -1, "once");
		trigger->actions[i].once = lua_toboolean(L, -1) != 0;
		lua_pop(L, 1);
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
	config->trigger_timeout_ms = get_ms(L, "trigger_timeout");
	config->connect_timeout_ms = get_ms(L, "connect_timeout");
	config->query_timeout_ms = get_ms(L, "query_timeout");
	config->retry_interval_ms = get_ms(L, "retry_interval");
	config->restart_grace_ms = get_ms(L, "restart_grace");
	config->fresh_connect_ms = get_ms(L, "fresh_connect_interval");
	config->shutdown_grace_ms = get_ms(L, "shutdown_grace");
	config->down_after = get_int(L, "down_after");
	config->trigger_parallel = get_int(L, "trigger_parallel");
}

static void read_hold_on(lua_State *L, struct config *config)
{
	lua_Integer count;

	lua_getfield(L, -1, "hold_on"); /* hold_on */
	count = lua_istable(L, -1) ? (lua_Integer)lua_rawlen(L, -1) : 0;
	for (lua_Integer i = 1; i <= count; i++) {
		lua_rawgeti(L, -1, i); /* hold_on word */
		config->hold_on[reason_parse(lua_tostring(L, -1))] = true;
		lua_pop(L, 1);
	}
	config->hold_on[REASON_NONE] = false; /* set by no word, as plusmoin.config refuses unknown ones */
	lua_pop(L, 1);
}

static void read_isolation(lua_State *L, struct config *config)
{
	config->isolation_grace_ms = lua_getfield(L, -1, "isolation_grace") == LUA_TNIL
					     ? ISOLATION_WITHOUT_END
					     : (int64_t)(lua_tonumber(L, -1) * 1000.0 + 0.5);
	lua_pop(L, 1);
	lua_getfield(L, -1, "second_opinion");
	config->second_opinion = lua_toboolean(L, -1) != 0;
	lua_pop(L, 1);
	lua_getfield(L, -1, "isolation_anchors"); /* anchors */
	config->anchor_count = lua_istable(L, -1) ? (size_t)lua_rawlen(L, -1) : 0;
	config->anchors = mem_zalloc(config->anchor_count, sizeof(*config->anchors));
	for (size_t i = 0; i < config->anchor_count; i++) {
		lua_rawgeti(L, -1, (lua_Integer)i + 1); /* anchors anchor */
		config->anchors[i].text = get_string(L, "text");
		config->anchors[i].host = get_string(L, "host");
		config->anchors[i].port = get_int(L, "port");
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
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

static void read_http(lua_State *L, struct config_http *http)
{
	char *isolated;

	lua_getfield(L, -1, "http"); /* http */
	if (lua_istable(L, -1)) {
		http->listen = get_string_array(L, "listen", &http->listen_count);
		http->hosts = get_string_array(L, "hosts", &http->host_count);
		http->agent = get_string(L, "agent");
		http->token_file = get_string(L, "token_file");
		http->token = get_string(L, "token");
		isolated = get_string(L, "isolated");
		http->isolated_fails = isolated != NULL && strcmp(isolated, "503") == 0;
		free(isolated);
	}
	lua_pop(L, 1);
}

static void read_monitors(lua_State *L, struct config_monitors *monitors)
{
	lua_getfield(L, -1, "monitors"); /* monitors */
	if (lua_istable(L, -1)) {
		monitors->etcd = get_string_array(L, "etcd", &monitors->etcd_count);
		monitors->prefix = get_string(L, "prefix");
		monitors->name = get_string(L, "name");
		monitors->ttl_ms = get_ms(L, "ttl");
		monitors->user = get_string(L, "user");
		monitors->password = get_string(L, "password");
		monitors->cafile = get_string(L, "cafile");
		monitors->certfile = get_string(L, "certfile");
		monitors->keyfile = get_string(L, "keyfile");
		monitors->votes = get_int(L, "votes");
	}
	lua_pop(L, 1);
}

/* Makes a struct of the normalised table at the top. */
static struct config *read_config(lua_State *L, const char *path)
{
	struct config *config = config_new();

	config->path = mem_strdup(path);
	read_times(L, config);
	read_hold_on(L, config);
	read_isolation(L, config);
	config->is_slave_statement = get_string(L, "is_slave_statement");
	config->daemon_user = get_string(L, "daemon_user");
	config->log_file = get_string(L, "log_file");
	config->log_level = get_string(L, "log_level");
	config->log_format = get_string(L, "log_format");
	config->pid_file = get_string(L, "pid_file");
	config->status_file = get_string(L, "status_file");
	config->state_file = get_string(L, "state_file");
	config->control_socket = get_string(L, "control_socket");
	config->secrets = get_secrets(L);
	read_nodes(L, config);
	read_triggers(L, config);
	read_lua(L, config);
	read_http(L, &config->http);
	read_monitors(L, &config->monitors);
	config_seal(config);
	return config;
}

/* Called with a function's name, path and options: returns that function of plusmoin.config, and its arguments. */
static int prepare(lua_State *L)
{
	const struct load_options *options = lua_touserdata(L, 3);

	lua_getglobal(L, "require");
	lua_pushliteral(L, "plusmoin.config");
	lua_call(L, 1, 1); /* name path options module */
	lua_pushvalue(L, 1);
	lua_gettable(L, -2);
	lua_pushvalue(L, 2);
	load_env_push(L, options); /* ... function path env */
	return 3;
}

/* Pushes what prepare() returns; false: its error is at the top instead. */
static bool push_call(lua_State *L, const char *function, const char *path,
		      const struct load_options *options)
{
	lua_pushcfunction(L, prepare);
	lua_pushstring(L, function);
	lua_pushstring(L, path);
	lua_pushlightuserdata(L, (void *)options);
	return lua_pcall(L, 3, 3, 0) == LUA_OK;
}

void load_report_fail(struct load_report *report, const char *path, const char *what)
{
	free_strings(report->errors, report->error_count);
	report->errors = mem_zalloc(2, sizeof(char *));
	report->errors[0] = mem_printf("%s: %s", path, what);
	report->error_count = 1;
}

/* The arguments and the result of read_result(). */
struct reading {
	const char *path;
	struct load_report *report;
	struct config *config;
};

static void read_names(lua_State *L, struct load_files *names)
{
	names->daemon_user = get_string(L, "daemon_user");
	names->pid_file = get_string(L, "pid_file");
	names->status_file = get_string(L, "status_file");
	names->log_file = get_string(L, "log_file");
	names->control_socket = get_string(L, "control_socket");
}

static int read_result(lua_State *L)
{
	struct reading *reading = lua_touserdata(L, 2);
	struct load_report *report = reading->report;

	lua_settop(L, 1);
	report->errors = get_string_array(L, "errors", &report->error_count);
	report->warnings = get_string_array(L, "warnings", &report->warning_count);
	lua_getfield(L, -1, "files"); /* result files */
	if (lua_istable(L, -1))
		read_names(L, &report->names);
	lua_pop(L, 1);
	lua_getfield(L, -1, "config"); /* result config */
	if (report->error_count == 0 && lua_istable(L, -1))
		reading->config = read_config(L, reading->path);
	return 0;
}

/* Fails a load that is made again and has asked for what is not in its record; that is then its only error. */
static void see_strayed(const struct engine *engine, struct reading *reading)
{
	struct load_report *report = reading->report;

	if (engine->strayed == NULL)
		return;
	load_report_fail(report, reading->path, engine->strayed);
	config_unref(&reading->config);
}

struct config *load_config(struct engine *engine, const char *path,
			   const struct load_options *options, int64_t ms,
			   struct load_report *report)
{
	struct reading reading = { .path = path, .report = report };
	lua_State *L = engine->L;
	int top = lua_gettop(L);
	char *error = NULL;
	int64_t began_ms = clock_wall_ms();

	*report = (struct load_report){ 0 };
	if (!push_call(L, "load", path, options)) {
		load_report_fail(report, path, lua_tostring(L, -1));
	} else if (!run_load(engine, 2, ms, &error)) {
		load_report_fail(report, path, error);
	} else {
		lua_pushcfunction(L, read_result);
		lua_insert(L, -2);
		lua_pushlightuserdata(L, &reading);
		if (lua_pcall(L, 2, 0, 0) != LUA_OK)
			load_report_fail(report, path, "the loader's answer cannot be read");
	}
	see_strayed(engine, &reading);
	if (reading.config != NULL)
		reading.config->read_ms = began_ms;
	free(error);
	lua_settop(L, top);
	return reading.config;
}

bool load_default_names(struct engine *engine, const char *path, struct load_files *names)
{
	lua_State *L = engine->L;
	int top = lua_gettop(L);
	bool done = push_call(L, "default_names", path, NULL) && lua_pcall(L, 2, 1, 0) == LUA_OK;

	*names = (struct load_files){ 0 };
	if (done)
		read_names(L, names);
	lua_settop(L, top);
	return done;
}

void load_names_free(struct load_files *names)
{
	free(names->daemon_user);
	free(names->pid_file);
	free(names->status_file);
	free(names->log_file);
	free(names->control_socket);
	*names = (struct load_files){ 0 };
}

void load_report_free(struct load_report *report)
{
	free_strings(report->errors, report->error_count);
	free_strings(report->warnings, report->warning_count);
	load_names_free(&report->names);
	*report = (struct load_report){ 0 };
}
