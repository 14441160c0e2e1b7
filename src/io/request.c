#include "io/request.h"

#include <jansson.h>

#include "base/mem.h"

char *request_name(const char *line, size_t len)
{
	json_error_t error;
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
	char *name = mem_strdup(json_string_value(json_object_get(request, "request")));

	json_decref(request);
	return name;
}
