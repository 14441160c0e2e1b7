#include "daemon/response.h"

void response_add_ok(struct json *json)
{
	jsonw_key(json, "ok");
	jsonw_bool(json, true);
}

void response_add_error(struct json *json, const char *why)
{
	jsonw_key(json, "ok");
	jsonw_bool(json, false);
	jsonw_key(json, "error");
	jsonw_string(json, why);
}

struct json response_begin(struct buf *out)
{
	struct json json = { .out = out };

	jsonw_begin_object(&json);
	response_add_ok(&json);
	return json;
}

struct shared_text *response_end(struct json *json)
{
	jsonw_end_object(json);
	return shared_text_take(json->out);
}

struct shared_text *response_error(const char *why)
{
	struct buf out = { 0 };
	struct json json = { .out = &out };

	jsonw_begin_object(&json);
	response_add_error(&json, why);
	return response_end(&json);
}
