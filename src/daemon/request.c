#include "daemon/request.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define KEY(key, member) { key, offsetof(struct request, member) }

static const struct {
	const char *key;
	size_t offset; /* of the text in a request */
} keys[] = {
	KEY("request", name), KEY("since", since),     KEY("node", node), KEY("event", event),
	KEY("code", code),    KEY("chunk", chunk),     KEY("session", session),
	KEY("run", run),      KEY("target", target),   KEY("seconds", seconds), KEY("reason", reason),
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

static char *text(const struct request *request, size_t index)
{
	char *value;

	memcpy(&value, (const char *)request + keys[index].offset, sizeof(value));
	return value;
}

/* Takes over `value`. */
static void set_text(struct request *request, size_t index, char *value)
{
	memcpy((char *)request + keys[index].offset, &value, sizeof(value));
}

static void take(const json_t *object, size_t index, struct request *request)
{
	const json_t *value = json_object_get(object, keys[index].key);

	if (value != NULL && !json_is_null(value) && !json_is_string(value))
		request->wrong = keys[index].key;
	set_text(request, index, mem_strdup(json_string_value(value)));
}

bool request_parse(const char *line, size_t len, struct request *request)
{
	json_error_t error;
	json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);

	*request = (struct request){ .uid = (uid_t)-1 };
	for (size_t i = 0; i < KEYS; i++)
		take(object, i, request);
	json_decref(object);
	if (request->name != NULL)
		return true;
	request_free(request);
	return false;
}

void request_free(struct request *request)
{
	for (size_t i = 0; i < KEYS; i++)
		free(text(request, i));
	*request = (struct request){ 0 };
}

bool request_same(const struct request *a, const struct request *b)
{
	for (size_t i = 0; i < KEYS; i++) {
		if (!text_same(text(a, i), text(b, i)))
			return false;
	}
	return text_same(a->wrong, b->wrong);
}
