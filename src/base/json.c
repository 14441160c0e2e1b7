#include "base/json.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

static void value(struct json *json)
{
	if (json->comma)
		buf_add_char(json->out, ',');
	json->comma = true;
}

static void open_with(struct json *json, char c)
{
	value(json);
	buf_add_char(json->out, c);
	json->comma = false;
}

static void close_with(struct json *json, char c)
{
	buf_add_char(json->out, c);
	json->comma = true;
}

void jsonw_begin_object(struct json *json)
{
	open_with(json, '{');
}

void jsonw_end_object(struct json *json)
{
	close_with(json, '}');
}

void jsonw_begin_array(struct json *json)
{
	open_with(json, '[');
}

void jsonw_end_array(struct json *json)
{
	close_with(json, ']');
}

static bool escape(struct buf *out, const unsigned char *at)
{
	if (*at >= 0x20 && *at != '"' && *at != '\\' && *at != 0x7F)
		return false;
	if (*at == '"' || *at == '\\')
		buf_addf(out, "\\%c", *at);
	else if (!text_add_short_escape(out, *at))
		buf_addf(out, "\\u%04x", *at);
	return true;
}

static void add_string(struct buf *out, const char *text)
{
	buf_add_char(out, '"');
	text_add_valid(out, text, strlen(text), escape);
	buf_add_char(out, '"');
}

void jsonw_key(struct json *json, const char *key)
{
	value(json);
	add_string(json->out, key);
	buf_add_char(json->out, ':');
	json->comma = false;
}

void jsonw_string(struct json *json, const char *text)
{
	value(json);
	if (text == NULL)
		buf_add_str(json->out, "null");
	else
		add_string(json->out, text);
}

void jsonw_int(struct json *json, int64_t number)
{
	value(json);
	buf_addf(json->out, "%" PRId64, number);
}

void jsonw_seconds(struct json *json, int64_t ms)
{
	int64_t rest = ms % 1000;

	value(json);
	buf_addf(json->out, "%s%" PRId64 ".%03" PRId64, ms < 0 && ms / 1000 == 0 ? "-" : "", ms / 1000,
		 rest < 0 ? -rest : rest);
}

void jsonw_bool(struct json *json, bool flag)
{
	value(json);
	buf_add_str(json->out, flag ? "true" : "false");
}

void jsonw_null(struct json *json)
{
	value(json);
	buf_add_str(json->out, "null");
}

void jsonw_raw(struct json *json, const char *text)
{
	value(json);
	buf_add_str(json->out, text);
}
