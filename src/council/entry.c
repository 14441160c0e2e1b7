#include "council/entry.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"

#define HOST_BYTES 256

void entry_begin(struct entry *entry, const struct config *config, int64_t start_ms)
{
	char host[HOST_BYTES] = "";

	(void)gethostname(host, sizeof(host) - 1);
	*entry = (struct entry){
		.name = mem_strdup(config->monitors.name),
		.host = mem_strdup(host),
		.instance = mem_printf("%s:%ld:%" PRId64, host, (long)getpid(), start_ms),
		.start_ms = start_ms,
	};
	birth_write(entry->birth);
	likeness_write(config, entry->settings);
}

void entry_clear(struct entry *entry)
{
	free(entry->name);
	free(entry->host);
	free(entry->instance);
	*entry = (struct entry){ 0 };
}

bool entry_take_config(struct entry *entry, const struct config *config)
{
	char before[LIKENESS_BYTES];

	(void)memcpy(before, entry->settings, sizeof(before));
	likeness_write(config, entry->settings);
	return strcmp(before, entry->settings) != 0;
}

static void add_text(struct json *json, const char *key, const char *text)
{
	jsonw_key(json, key);
	jsonw_string(json, text);
}

char *entry_describe(const struct entry *entry, bool full)
{
	struct buf text = { 0 };
	struct json json = { .out = &text };

	jsonw_begin_object(&json);
	add_text(&json, "name", entry->name);
	add_text(&json, "host", entry->host);
	jsonw_key(&json, "pid");
	jsonw_int(&json, getpid());
	add_text(&json, "instance", entry->instance);
	if (entry->birth[0] != '\0')
		add_text(&json, "birth", entry->birth);
	jsonw_key(&json, "since");
	jsonw_seconds(&json, entry->start_ms);
	if (full) {
		add_text(&json, "version", PLUSMOIN_VERSION);
		jsonw_key(&json, "answering");
		jsonw_int(&json, (int64_t)entry->answering);
		jsonw_key(&json, "not_answering");
		jsonw_int(&json, (int64_t)entry->not_answering);
		add_text(&json, "settings", entry->settings);
	}
	jsonw_end_object(&json);
	return buf_steal(&text);
}
