#include "io/request.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/mem.h"

bool request_parse(const char *line, size_t len, struct request *request)
{
	json_error_t error;
	json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);

	request->name = mem_strdup(json_string_value(json_object_get(object, "request")));
	request->since = mem_strdup(json_string_value(json_object_get(object, "since")));
	request->node = mem_strdup(json_string_value(json_object_get(object, "node")));
	request->event = mem_strdup(json_string_value(json_object_get(object, "event")));
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
