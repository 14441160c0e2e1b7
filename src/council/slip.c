#include "council/slip.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "council/keys.h"

char *slip_ask_key(const char *node)
{
	return mem_printf(KEY_ASK "%s", node);
}

char *slip_see_key(const char *name, const char *node)
{
	return mem_printf(KEY_SEE "%s/%s", name, node);
}

static void begin(struct json *json, unsigned long number)
{
	jsonw_begin_object(json);
	jsonw_key(json, "number");
	jsonw_int(json, (int64_t)number);
}

char *slip_ask_text(const char *from, unsigned long number)
{
	struct buf text = { 0 };
	struct json json = { .out = &text };

	begin(&json, number);
	jsonw_key(&json, "from");
	jsonw_string(&json, from);
	jsonw_end_object(&json);
	return buf_steal(&text);
}

char *slip_see_text(unsigned long number, const struct vote *vote, size_t missing)
{
	struct buf text = { 0 };
	struct json json = { .out = &text };

	begin(&json, number);
	jsonw_key(&json, "sees");
	jsonw_string(&json, vote_says_name(vote->says));
	jsonw_key(&json, "reason");
	jsonw_string(&json, vote->says == VOTE_FAILS ? reason_name(vote->reason) : NULL);
	jsonw_key(&json, "missing");
	jsonw_int(&json, (int64_t)missing);
	jsonw_end_object(&json);
	return buf_steal(&text);
}

/* Reads which node, and which monitor, the key names. */
static bool read_key(struct slip *slip, const char *key)
{
	const char *name = key + strlen(KEY_SEE);
	const char *slash;

	if (strncmp(key, KEY_ASK, strlen(KEY_ASK)) == 0) {
		slip->is_question = true;
		slip->node = mem_strdup(key + strlen(KEY_ASK));
		return true;
	}
	if (strncmp(key, KEY_SEE, strlen(KEY_SEE)) != 0 || (slash = strchr(name, '/')) == NULL)
		return false;
	slip->monitor = mem_strndup(name, (size_t)(slash - name));
	slip->node = mem_strdup(slash + 1);
	return true;
}

static bool read_text(struct slip *slip, const json_t *tree)
{
	json_int_t number = json_integer_value(json_object_get(tree, "number"));
	json_int_t missing = json_integer_value(json_object_get(tree, "missing"));
	const char *from = json_string_value(json_object_get(tree, "from"));

	if (number <= 0 || missing < 0)
		return false;
	slip->number = (unsigned long)number;
	if (slip->is_question) {
		slip->monitor = mem_strdup(from);
		return from != NULL;
	}
	slip->missing = (size_t)missing;
	slip->vote = (struct vote){
		.monitor = slip->monitor,
		.says = vote_says_parse(json_string_value(json_object_get(tree, "sees"))),
		.reason = reason_parse(json_string_value(json_object_get(tree, "reason"))),
	};
	return slip->vote.says != VOTE_SAYS;
}

bool slip_read(struct slip *slip, const char *key, const char *text)
{
	json_t *tree;
	bool held;

	*slip = (struct slip){ 0 };
	if (!read_key(slip, key))
		return false;
	if (text == NULL)
		return true;
	tree = json_loads(text, 0, NULL);
	held = read_text(slip, tree);
	json_decref(tree);
	return held;
}

void slip_clear(struct slip *slip)
{
	free(slip->node);
	free(slip->monitor);
	*slip = (struct slip){ 0 };
}
