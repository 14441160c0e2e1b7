#include "command/verbs.h"

#include <string.h>

#include "command/check.h"
#include "command/console.h"
#include "command/explain.h"
#include "command/lua_types.h"
#include "command/monitors.h"
#include "command/run_trigger.h"
#include "command/runs.h"
#include "command/silence.h"
#include "command/start.h"
#include "command/status.h"
#include "command/stop.h"
#include "command/watch.h"

static int run_start(const struct verb_call *call)
{
	return command_start(call->config, call->foreground);
}

static int run_stop(const struct verb_call *call)
{
	return command_stop(call->config);
}

static int run_reload(const struct verb_call *call)
{
	return command_reload(call->config);
}

static int run_status(const struct verb_call *call)
{
	return command_status(call->config, call->json);
}

static int run_watch(const struct verb_call *call)
{
	return command_watch(call->config);
}

static int run_explain(const struct verb_call *call)
{
	return command_explain(call->config, call->words[0], call->json);
}

static int run_monitors(const struct verb_call *call)
{
	return command_monitors(call->config, call->words[0], call->json);
}

static int run_runs(const struct verb_call *call)
{
	return command_runs(call->config, call->words[0], call->words[1], call->json);
}

static int run_console(const struct verb_call *call)
{
	return command_console(call->config, call->code, call->file);
}

static int run_check(const struct verb_call *call)
{
	return command_check(call->config, call->json);
}

static int run_init_sql(const struct verb_call *call)
{
	return command_init_sql(call->config);
}

static int run_run_trigger(const struct verb_call *call)
{
	return command_run_trigger(call->config, call->words[0], call->words[1]);
}

static int run_lua_types(const struct verb_call *call)
{
	return command_lua_types(call->words[0]);
}

static const struct verb verbs[] = {
	{ .name = "start", .takes_foreground = true, .run = run_start },
	{ .name = "stop", .run = run_stop },
	{ .name = "reload", .run = run_reload },
	{ .name = "status", .takes_json = true, .run = run_status },
	{ .name = "watch", .run = run_watch },
	{ .name = "explain", .words_most = 1, .takes_json = true, .run = run_explain },
	{ .name = "monitors", .words_most = 1, .takes_json = true, .run = run_monitors },
	{ .name = "silence", .words_most = VERB_WORDS, .takes_json = true, .takes_end = true, .run = command_silence },
	{ .name = "runs", .words_most = 2, .takes_json = true, .run = run_runs },
	{ .name = "console", .takes_code = true, .run = run_console },
	{ .name = "check", .takes_json = true, .run = run_check },
	{ .name = "run-trigger", .words_least = 1, .words_most = 2, .run = run_run_trigger,
	  .lacks = "run-trigger needs a Lua file, or an event's name" },
	{ .name = "init-sql", .run = run_init_sql },
	{ .name = "lua-types", .words_most = 1, .run = run_lua_types },
};

const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	}
	return NULL;
}
