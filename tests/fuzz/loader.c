/*
 * The loader under mutated files: JSON and Lua configurations, with a trigger
 * file beside them. Each load ends with a configuration or with errors, in its
 * time; nothing else is asserted but that nothing breaks (run it under ASan).
 *
 * Usage: loader [LOADS], from the project's root; SEED= repeats a run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "script/api.h"
#include "script/state.h"
#include "script/loader.h"

#define LOAD_MS 300       /* a mutated Lua file may loop */
#define LOADS_AN_ENGINE 25

static const char json_text[] =
	"{ // a comment\n"
	"  \"dbname\": \"plusmoin\", \"user\": \"plusmoin\", \"password\": \"carrot/*cake\",\n"
	"  \"heartbeat\": 1.5, \"query_timeout\": 0.3, \"log_level\": \"info\", /* another */\n"
	"  \"connection\": {\"sslmode\": \"prefer\"}, \"lua\": {\"memory_limit\": 16, \"patience\": 2},\n"
	"  \"nodes\": [{\"host\": \"db1\", \"port\": 5432, \"name\": \"one\"}, {\"host\": \"::1\"},\n"
	"            {\"host\": \"/run/postgresql\", \"connection\": {\"keepalives_idle\": 5}}],\n"
	"  \"triggers\": {\"master_up\": \"sh -c 'echo \\u00e9'\", \"slave_down\": [\"/bin/true\",\n"
	"     {\"command\": [\"a\", \"b\"], \"timeout\": 2}, {\"lua\": \"t.lua\", \"settings\": {\"a\": [1, null]}}]}\n"
	"}\n";

static const char lua_text[] =
	"local pm = require \"plusmoin\"\n"
	"local nodes = {}\n"
	"for i = 1, 3 do nodes[i] = { host = (\"db%d\"):format(i), port = 5431 + i } end\n"
	"local function note(event) pm.log.info(\"%s\", event.name) end\n"
	"return {\n"
	"  dbname = \"plusmoin\", user = \"plusmoin\", nodes = nodes, heartbeat = 2, max_sync_delay = 60,\n"
	"  triggers = { slave_down = { note, \"/bin/true\", { lua = \"t.lua\", settings = { 1, x = {} } } },\n"
	"    master_down = note },\n"
	"}\n";

static const char trigger_text[] =
	"local settings = ...\n"
	"local t = setmetatable({}, { __index = function(_, k) return k end })\n"
	"return { timeout = 3, run = function(event) return t[event.name], settings end }\n";

static const char *const bits[] = {
	"{", "}", "[", "]", "\"", ",", ":", "null", "true", "1e999", "-0", "\\u0000", "\xff", "\xc3",
	"/*", "*/", "//", "\n", "\0", "nil", "function", "end", "error()", "while true do end ", "(",
	")", "0.0", "99999999999999999999", "..", "=", "{{{{{{{{", "\"port\": 0", "return", "~", "%",
	"string.rep(\"x\", 1e9)", "coroutine.yield()", "goto x ", "::x::", "local x <close> = 1 ",
};

static unsigned long state;

static size_t below(size_t limit)
{
	state = state * 6364136223846793005UL + 1442695040888963407UL;
	return limit > 0 ? (size_t)(state >> 33) % limit : 0;
}

static void mutate(struct buf *text)
{
	for (size_t i = below(4); i > 0 && text->len > 0; i--) {
		const char *bit = bits[below(sizeof(bits) / sizeof(bits[0]))];
		size_t at = below(text->len);
		size_t cut = below(8);
		struct buf next = { 0 };

		buf_add(&next, text->data, at);
		buf_add(&next, bit, bit[0] != '\0' ? strlen(bit) : 1);
		if (at + cut < text->len)
			buf_add(&next, text->data + at + cut, text->len - at - cut);
		buf_free(text);
		*text = next;
	}
}

static void write_mutated(const char *path, const char *good, bool always)
{
	struct buf text = { 0 };
	FILE *file = fopen(path, "we");

	buf_add_str(&text, good);
	if (always || below(3) == 0)
		mutate(&text);
	if (file == NULL || fwrite(text.data, 1, text.len, file) != text.len || fclose(file) != 0)
		exit(1);
	buf_free(&text);
}

static bool load(struct engine *engine, const char *path)
{
	struct load_report report;
	struct config *config = load_config(engine, path, NULL, LOAD_MS, &report);
	bool is_good = config != NULL;

	if (is_good != (report.error_count == 0)) {
		(void)fprintf(stderr, "%s: a configuration and errors, or neither\n", path);
		abort();
	}
	config_unref(&config);
	load_report_free(&report);
	return is_good;
}

int main(int argc, char **argv)
{
	unsigned long loads = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
	const char *seed = getenv("SEED");
	char dir[] = "/tmp/plusmoin-fuzz-XXXXXX";
	struct engine engine;
	unsigned long good = 0;

	state = seed != NULL ? strtoul(seed, NULL, 10) : (unsigned long)time(NULL);
	printf("fuzz: SEED=%lu, %lu loads\n", state, loads);
	(void)fflush(stdout);
	if (mkdtemp(dir) == NULL || chdir(dir) != 0)
		return 1;
	for (unsigned long i = 0; i < loads; i++) {
		bool lua = below(2) == 0;
		const char *path = lua ? "c.lua" : "c.json";

		if (i % LOADS_AN_ENGINE == 0 && !engine_open_alone(&engine))
			return 1;
		write_mutated(path, lua ? lua_text : json_text, true);
		write_mutated("t.lua", trigger_text, false);
		good += load(&engine, path) ? 1 : 0;
		if (i % LOADS_AN_ENGINE == LOADS_AN_ENGINE - 1 || i == loads - 1)
			engine_close(&engine);
	}
	(void)unlink("c.lua");
	(void)unlink("c.json");
	(void)unlink("t.lua");
	(void)rmdir(dir);
	printf("fuzz: %lu of %lu were configurations\n1 passed, 0 failed\n", good, loads);
	return 0;
}
