#include "daemon/request.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"

/* The text of a key, which the caller frees; NULL: there is none. */
static char *take(const json_t *object, const char *key, struct request *request)
{
	const json_t *value = json_object_get(object, key);

	if (value != NULL && !json_is_null(value) && !json_is_string(value))
		request->wrong = key;
	return mem_strdup(json_string_value(value));
}

bool request_parse(const char *line, size_t len, struct request *request)
{
	json_error_t error;
	json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);

	*request = (struct request){ 0 };
	request->name = take(object, "request", request);
	request->since = take(object, "since", request);
	request->node = take(object, "node", request);
	request->event = take(object, "event", request);
	json_decref(object);
	if (request->name != NULL)
		return true;
	request_free(request);
	return false;
}

void request_free(struct request *request)
{
	free(request->name);
	free(request->since);
	free(request->node);
	free(request->event);
	*request = (struct request){ 0 };
}

bool request_same(const struct request *a, const struct request *b)
{
	return text_same(a->name, b->name) && text_same(a->since, b->since) && text_same(a->node, b->node) &&
	       text_same(a->event, b->event) && text_same(a->wrong, b->wrong);
}
