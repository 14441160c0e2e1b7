#include "base/log_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

bool log_level_parse(const char *name, enum log_level *level)
{
	for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

/* RFC 3339 with milliseconds, in local time with its offset: LOG_TIME_BYTES. */
static void add_time(struct buf *out)
{
	struct timespec now;
	struct tm tm;
	char text[40];
	char zone[8];

	clock_gettime(CLOCK_REALTIME, &now);
	if (localtime_r(&now.tv_sec, &tm) == NULL || strftime(zone, sizeof(zone), "%z", &tm) != 5)
		(void)snprintf(zone, sizeof(zone), "+0000");
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	buf_addf(out, "%s.%03ld%.3s:%.2s", text, now.tv_nsec / 1000000, zone, zone + 3);
}

static void add_field(struct buf *out, const char *key, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	buf_addf(out, " %s=", key);
	text_add_escaped(out, value, strlen(value));
}

static size_t format_text(struct buf *out, enum log_level level, const struct log_about *about,
			  const char *message)
{
	size_t body;

	add_time(out);
	body = out->len;
	buf_addf(out, " %-7s ", level_names[level]);
	text_add_escaped(out, message, strlen(message));
	if (about->has_cluster)
		buf_addf(out, " cluster=%d", about->cluster_id);
	add_field(out, "node", about->node);
	add_field(out, "rule", about->rule);
	add_field(out, "reason", about->reason);
	add_field(out, "event", about->event);
	add_field(out, "id", about->event_id);
	add_field(out, "trigger", about->trigger);
	return body;
}

static void json_field(struct json *json, const char *key, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	jsonw_key(json, key);
	jsonw_string(json, value);
}

static size_t begin_json(struct json *json, enum log_level level, const char *message)
{
	struct buf time = { 0 };
	size_t body;

	add_time(&time);
	jsonw_begin_object(json);
	json_field(json, "time", buf_text(&time));
	body = json->out->len;
	json_field(json, "level", level_names[level]);
	jsonw_key(json, "message");
	jsonw_string(json, message);
	buf_free(&time);
	return body;
}

static size_t format_json(struct buf *out, enum log_level level, const struct log_about *about,
			  const char *message)
{
	struct json json = { .out = out };
	size_t body = begin_json(&json, level, message);

	json_field(&json, "event", about->event);
	json_field(&json, "event_id", about->event_id);
	if (about->has_cluster) {
		jsonw_key(&json, "cluster_id");
		jsonw_int(&json, about->cluster_id);
	}
	json_field(&json, "node", about->node);
	json_field(&json, "rule", about->rule);
	json_field(&json, "reason", about->reason);
	json_field(&json, "trigger", about->trigger);
	jsonw_end_object(&json);
	return body;
}

static struct log_text finish(struct buf *out, enum log_level level, enum log_format format,
			      size_t body)
{
	buf_add_char(out, '\n');
	return (struct log_text){
		.text = buf_steal(out),
		.body = body,
		.level = level,
		.format = format,
	};
}

struct log_text log_text_new(enum log_level level, enum log_format format,
			     const struct log_about *about, const char *message)
{
	static const struct log_about nothing;
	struct buf out = { 0 };
	size_t body;

	if (about == NULL)
		about = &nothing;
	if (format == LOG_FORMAT_JSON)
		body = format_json(&out, level, about, message);
	else
		body = format_text(&out, level, about, message);
	return finish(&out, level, format, body);
}

struct log_text log_text_repeated(enum log_level level, enum log_format format,
				  unsigned long times)
{
	static const struct log_about nothing;
	char *message = mem_printf("last line repeated %lu times", times);
	struct buf out = { 0 };
	struct json json = { .out = &out };
	size_t body;

	if (format == LOG_FORMAT_JSON) {
		body = begin_json(&json, level, message);
		jsonw_key(&json, "repeated");
		jsonw_int(&json, (int64_t)times);
		jsonw_end_object(&json);
	} else {
		body = format_text(&out, level, &nothing, message);
	}
	free(message);
	return finish(&out, level, format, body);
}
