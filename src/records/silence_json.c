#include "records/silence_json.h"

#include <string.h>

#include "base/mem.h"

/* A bound of times in ms, some 35,000 years after 1970. */
#define MS_MOST (INT64_C(1) << 50)

static int64_t get_ms(const json_t *from, const char *key, const char **wrong)
{
	const json_t *value = json_object_get(from, key);
	json_int_t ms = json_integer_value(value);

	if (!json_is_integer(value) || ms < 0 || ms > MS_MOST)
		*wrong = key;
	return ms;
}

/* The string of that key; "", and `*wrong` is the key: it is missing or too long. */
static const char *get_text(const json_t *from, const char *key, size_t most, const char **wrong)
{
	const char *text = json_string_value(json_object_get(from, key));

	if (text != NULL && strlen(text) <= most)
		return text;
	*wrong = key;
	return "";
}

bool silence_json_read(const json_t *from, struct silence *silence, const char **wrong)
{
	const char *first = NULL;
	const char *by = get_text(from, "by", SILENCE_BY_BYTES, &first);
	const char *reason = get_text(from, "reason", SILENCE_REASON_BYTES, &first);

	*silence = (struct silence){
		.since_ms = get_ms(from, "since_ms", &first),
		.until_ms = get_ms(from, "until_ms", &first),
	};
	if (!silence_read_target(silence, get_text(from, "target", SILENCE_TARGET_BYTES, &first)))
		first = "target";
	silence->by = mem_strdup(by);
	silence->reason = silence_clean_reason(reason);
	if (first == NULL)
		return true;
	silence_clear(silence);
	*wrong = first;
	return false;
}

size_t silence_json_read_all(const json_t *list, struct silences *silences, const char **wrong)
{
	const json_t *item;
	size_t left_out = 0;
	size_t i;

	*wrong = NULL;
	if (list != NULL && !json_is_array(list)) {
		*wrong = "silences";
		return 1;
	}
	json_array_foreach(list, i, item) {
		const char *what = "silences";
		struct silence silence;
		bool is_read = silence_json_read(item, &silence, &what);

		if (!is_read || !silences_put(silences, &silence)) {
			left_out++;
			*wrong = *wrong != NULL ? *wrong : what;
		}
		if (is_read)
			silence_clear(&silence);
	}
	return left_out;
}
