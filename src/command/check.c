#include "command/check.h"

#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/anchors.h"
#include "command/become.h"
#include "command/members.h"
#include "command/places.h"
#include "command/programs.h"
#include "command/writable.h"
#include "daemon/fits.h"
#include "loop/clock.h"
#include "loop/pool.h"
#include "loop/workers.h"
#include "pg/login.h"
#include "pg/survey.h"
#include "script/api.h"
#include "script/state.h"
#include "script/host.h"
#include "system/descriptors.h"

#define SURVEYS_AT_ONCE 256 /* nodes that are asked at the same time */
#define OTHER_FILES 64      /* descriptors for all but the nodes' connections */
#define PROGRAMS_SECONDS 15 /* for looks at files, one of which may hang for 3 s without ending the check */
#define LOOK_UP_MS 5000 /* for the look-ups of all nodes' addresses; after that the rest is left out */

enum { FINE = 0, FAILED = 1, BAD_CONFIG = 3 };

/* What a node said, copied: its JSON is written when all nodes have answered. */
struct visit {
	struct check *check;
	struct survey_answer answer;
	char *facts;
	char *table;
};

struct check {
	uv_loop_t loop;
	struct engine engine;
	struct become user;
	struct load_report report;
	struct config *config;
	struct visit *visits;
	size_t asked; /* how many nodes were asked, or are being asked */
	struct resolver *resolver;
	struct anchors *anchors;
	struct members *members; /* NULL: this monitor is alone */
	/* how many answers are missing: of nodes, of the anchors as a whole, of etcd's members as a whole */
	size_t awaited;
	bool hangs; /* a look-up under way cannot be called off: the process ends without it */
	int64_t look_up_ms; /* spent on look-ups in own_address() */
};

static void on_alarm(int signum)
{
	static const char text[] = "plusmoin: the configuration took too long to load, in one call that"
				   " Lua cannot end\n";

	(void)signum;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(BAD_CONFIG);
}

static void on_alarm_of_files(int signum)
{
	static const char text[] = "plusmoin: a look at files does not return (triggers, or plusmoin's own): does a mount hang?\n";

	(void)signum;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(FAILED);
}

static void say_lines(char *const *lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)fprintf(stderr, "%s\n", lines[i]);
}

/* Loads the configuration as the daemon would, its user included. Returns an exit status. */
static int load(struct check *check, const char *path)
{
	struct load_options options;
	const char *name;
	int status = become_read(&check->user, path);

	if (status != 0)
		return status;
	if (!become_drop(&check->user))
		return FAILED;
	while ((name = identity_drop_variable()) != NULL)
		(void)fprintf(stderr, "plusmoin: %s is set in the environment and ignored\n", name);
	if (!engine_open_alone(&check->engine))
		return FAILED;
	options = become_options(&check->user);
	options.programs_unseen = true;
	(void)signal(SIGALRM, on_alarm);
	(void)alarm((HOST_LOAD_MS + HOST_SIGN_MS) / 1000 + 1);
	check->config = load_config(&check->engine, path, &options, HOST_LOAD_MS, &check->report);
	(void)alarm(0);
	say_lines(check->report.warnings, check->report.warning_count);
	say_lines(check->report.errors, check->report.error_count);
	if (check->config == NULL)
		return BAD_CONFIG;
	if (become_lost_file(&check->user))
		(void)fprintf(stderr, "%s: cannot be read by %s, so a reload will fail; advice: chgrp it"
				      " to a group of %s, mode 0640\n", path, check->user.identity.user,
			      check->user.identity.user);
	return FINE;
}

static void unload(struct check *check)
{
	config_unref(&check->config);
	load_report_free(&check->report);
	engine_close(&check->engine);
	become_free(&check->user);
}

static void visit_next(struct check *check);

static void one_less(struct check *check)
{
	if (--check->awaited == 0)
		uv_stop(&check->loop);
}

static void on_others(void *data)
{
	one_less(data);
}

static void on_answer(void *data, const struct survey_answer *answer)
{
	struct visit *visit = data;

	visit->answer = *answer;
	visit->facts = mem_strdup(answer->facts);
	visit->table = mem_strdup(answer->table);
	visit->answer.facts = visit->facts;
	visit->answer.table = visit->table;
	visit_next(visit->check);
	one_less(visit->check);
}

/* Asks the next node, if there is one that was not asked. */
static void visit_next(struct check *check)
{
	const struct config *config = check->config;
	size_t next = check->asked;

	if (next == config->node_count)
		return;
	check->asked++;
	check->visits[next].check = check;
	(void)survey_start(&check->loop, check->resolver, config, &config->nodes[next], on_answer,
			   &check->visits[next]);
}

/* Returns how many nodes are asked at once: a connection takes two descriptors for a moment. */
static size_t surveys_at_once(void)
{
	size_t limit = descriptors_limit();
	size_t fit = limit > OTHER_FILES ? (limit - OTHER_FILES) / 2 : 0;

	if (fit > SURVEYS_AT_ONCE)
		return SURVEYS_AT_ONCE;
	return fit > 0 ? fit : 1;
}

/* Says how long a large fleet takes at the longest, because each node may take query_timeout. */
static void say_how_long(const struct config *config, size_t at_once)
{
	size_t turns = (config->node_count + at_once - 1) / at_once;

	if (turns > 1)
		(void)fprintf(stderr, "plusmoin: asking %zu nodes, %zu at a time: %g s at the longest\n",
			      config->node_count, at_once,
			      (double)turns * (double)config->query_timeout_ms / 1000.0);
}

static void visit_all(struct check *check)
{
	const struct config *config = check->config;
	size_t at_once = surveys_at_once();

	say_how_long(config, at_once);
	(void)signal(SIGPIPE, SIG_IGN);
	uv_loop_init(&check->loop);
	if (config->monitors.etcd_count > 0)
		check->members = members_ask(&check->loop, config, on_others, check);
	(void)pool_start();
	check->resolver = resolver_new(&check->loop);
	check->awaited = config->node_count + 1 + (check->members != NULL);
	check->anchors = anchors_ask(&check->loop, check->resolver, config, on_others, check);
	for (size_t i = 0; i < at_once; i++)
		visit_next(check);
	(void)uv_run(&check->loop, UV_RUN_DEFAULT);
	anchors_stop(check->anchors);
	members_stop(check->members);
	workers_close(&check->loop);
	check->hangs = !resolver_free(&check->resolver);
	if (!check->hangs)
		(void)uv_run(&check->loop, UV_RUN_DEFAULT);
	check->hangs = check->hangs || uv_loop_close(&check->loop) != 0;
}

static void add_string(struct json *json, const char *key, const char *text)
{
	jsonw_key(json, key);
	jsonw_string(json, text);
}

static void add_int(struct json *json, const char *key, int64_t number)
{
	jsonw_key(json, key);
	jsonw_int(json, number);
}

static void add_seconds(struct json *json, const char *key, int64_t ms)
{
	jsonw_key(json, key);
	jsonw_seconds(json, ms);
}

/*
 * Returns the address from which this machine would reach the node, for its pg_hba line; NULL: it is not known. The
 * caller's.
 */
static char *own_address(struct check *check, const struct config_node *node)
{
	int64_t began_ms = clock_steady_ms();
	const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM };
	struct addrinfo *found = NULL;
	struct sockaddr_storage own;
	socklen_t size = sizeof(own);
	char text[NI_MAXHOST];
	char *result = NULL;
	int fd;

	if (node->host[0] == '/' || node->host[0] == '@' || check->look_up_ms > LOOK_UP_MS)
		return NULL;
	if (getaddrinfo(node->host, "5432", &hints, &found) != 0)
		found = NULL;
	check->look_up_ms += clock_steady_ms() - began_ms;
	if (found == NULL)
		return NULL;
	fd = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0); /* connecting one sends nothing */
	if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) == 0 &&
	    getsockname(fd, (struct sockaddr *)&own, &size) == 0 &&
	    getnameinfo((struct sockaddr *)&own, size, text, sizeof(text), NULL, 0,
			NI_NUMERICHOST) == 0)
		result = mem_strdup(text);
	if (fd >= 0)
		close(fd);
	freeaddrinfo(found);
	return result;
}

static void add_node(struct json *json, const struct config *config, const struct config_node *node)
{
	add_string(json, "id", node->id);
	add_string(json, "name", node->name);
	add_string(json, "host", node->host);
	add_int(json, "port", node->port);
	add_string(json, "user", node->user);
	add_string(json, "dbname", node->dbname);
	jsonw_key(json, "ignore_system_id");
	jsonw_bool(json, node->ignore_system_id);
	add_seconds(json, "max_sync_delay", config_max_sync_delay_ms(config, node));
	add_seconds(json, "recover_sync_delay", config_recover_sync_delay_ms(config, node));
}

static void add_answer(struct json *json, const struct survey_answer *answer)
{
	jsonw_key(json, "reached");
	jsonw_bool(json, answer->reached);
	add_string(json, "reason", reason_name(answer->reason));
	add_string(json, "message", answer->message);
	if (answer->has_role) {
		jsonw_key(json, "is_slave");
		jsonw_bool(json, answer->is_slave);
	}
	add_int(json, "server_version", answer->server_version);
	add_int(json, "backend_pid", answer->backend_pid);
	add_seconds(json, "age", answer->age_ms);
	if (answer->row_state == ROW_SHOWN) {
		add_string(json, "row_master", answer->row.master);
		add_seconds(json, "row_time", answer->row.tstamp);
	}
	add_string(json, "row_error", answer->row_error);
	add_seconds(json, "rtt", answer->rtt_ms);
	add_seconds(json, "asked", answer->asked_ms);
	add_string(json, "facts", answer->facts);
	add_string(json, "table", answer->table);
}

static void begin_config(struct json *json, const struct config *config)
{
	jsonw_begin_object(json);
	add_seconds(json, "heartbeat", config->heartbeat_ms);
	add_seconds(json, "max_sync_delay", config->max_sync_delay_ms);
	add_seconds(json, "query_timeout", config->query_timeout_ms);
	add_seconds(json, "retry_interval", config->retry_interval_ms);
	add_seconds(json, "fresh_connect_interval", config->fresh_connect_ms);
	add_seconds(json, "fresh_connect", config_fresh_connect_ms(config, login_cost_us()));
	add_int(json, "login_cost_us", login_cost_us());
	add_int(json, "down_after", config->down_after);
	fits_reserve(config);
	add_int(json, "fit", (int64_t)descriptors_fit());
	add_int(json, "descriptors", (int64_t)descriptors_limit());
	jsonw_key(json, "nodes");
	jsonw_begin_array(json);
}

static void render(struct check *check, struct buf *out)
{
	struct json json = { .out = out };

	begin_config(&json, check->config);
	for (size_t i = 0; i < check->config->node_count; i++) {
		const struct config_node *node = &check->config->nodes[i];
		const struct survey_answer *answer = &check->visits[i].answer;
		char *own = answer->reason == REASON_AUTH ? own_address(check, node) : NULL;

		jsonw_begin_object(&json);
		add_node(&json, check->config, node);
		add_string(&json, "own_address", own);
		add_answer(&json, answer);
		jsonw_end_object(&json);
		free(own);
	}
	jsonw_end_array(&json);
	anchors_render(check->anchors, &json);
	places_add(&json, check->config);
	members_render(check->members, &json);
	(void)signal(SIGALRM, on_alarm_of_files);
	(void)alarm(PROGRAMS_SECONDS);
	programs_add(&json, check->config);
	writable_add(&json, check->config, &check->user);
	(void)alarm(0);
	jsonw_end_object(&json);
}

/* Protected: require(module)[function](text, flag) -> text, true when all is well. */
static int call(lua_State *L)
{
	lua_getglobal(L, "require");
	lua_pushvalue(L, 1);
	lua_call(L, 1, 1);
	lua_pushvalue(L, 2);
	lua_gettable(L, -2);
	lua_pushvalue(L, 3);
	lua_pushvalue(L, 4);
	lua_call(L, 2, 2);
	return 2;
}

/* Prints what the function of the Lua module makes of `text`. Returns whether all is well. */
static bool print(struct engine *engine, const char *module, const char *function,
		  const struct buf *text, bool flag)
{
	lua_State *L = engine->L;
	bool well;

	lua_pushcfunction(L, call);
	lua_pushstring(L, module);
	lua_pushstring(L, function);
	lua_pushlstring(L, buf_text(text), text->len);
	lua_pushboolean(L, flag);
	if (lua_pcall(L, 4, 2, 0) != LUA_OK) {
		(void)fprintf(stderr, "plusmoin: the findings cannot be shown: %s\n",
			      lua_tostring(L, -1));
		return false;
	}
	(void)fputs(lua_tostring(L, -2), stdout);
	well = lua_toboolean(L, -1) != 0;
	lua_pop(L, 2);
	return well;
}

int command_check(const char *config_path, bool as_json)
{
	struct check check = { 0 };
	struct buf findings = { 0 };
	int status;

	descriptors_raise();
	status = load(&check, config_path);
	if (status == FINE) {
		check.visits = mem_zalloc(check.config->node_count, sizeof(*check.visits));
		visit_all(&check);
		render(&check, &findings);
		if (!print(&check.engine, "plusmoin.check", "report", &findings, as_json))
			status = FAILED;
		for (size_t i = 0; i < check.config->node_count; i++) {
			free(check.visits[i].facts);
			free(check.visits[i].table);
		}
		free(check.visits);
		anchors_free(&check.anchors);
		members_free(&check.members);
		buf_free(&findings);
	}
	if (check.hangs) {
		(void)fflush(stdout);
		_exit(status);
	}
	unload(&check);
	return status;
}

int command_init_sql(const char *config_path)
{
	struct check check = { 0 };
	struct buf text = { 0 };
	struct json json = { .out = &text };
	int status = load(&check, config_path);

	if (status == FINE) {
		begin_config(&json, check.config);
		for (size_t i = 0; i < check.config->node_count; i++) {
			const struct config_node *node = &check.config->nodes[i];
			char *own = own_address(&check, node);

			jsonw_begin_object(&json);
			add_node(&json, check.config, node);
			add_string(&json, "password", node->password);
			add_string(&json, "own_address", own);
			jsonw_end_object(&json);
			free(own);
		}
		jsonw_end_array(&json);
		jsonw_end_object(&json);
		if (!print(&check.engine, "plusmoin.init_sql", "render", &text, false))
			status = FAILED;
		buf_free(&text);
	}
	unload(&check);
	return status;
}
