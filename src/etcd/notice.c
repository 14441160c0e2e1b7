#include "etcd/notice.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define WORDS_BYTES 300

static void set_words(struct notice *notice, int code, const char *words)
{
	struct buf line = { 0 };

	text_add_escaped(&line, words, text_cut(words, WORDS_BYTES));
	free(notice->words);
	notice->words = mem_strdup(buf_text(&line));
	buf_free(&line);
	(void)refusal_of_code(code, words, &notice->reason);
}

static bool read_events(struct notice *notice, const json_t *events)
{
	size_t count = json_array_size(events);

	if (count > 0)
		notice->events = mem_zalloc(count, sizeof(*notice->events));
	for (size_t i = 0; i < count; i++) {
		const json_t *event = json_array_get(events, i);

		if (!fields_pair(&notice->events[i].pair, json_object_get(event, "kv")))
			return false;
		notice->events[i].deleted = strcmp(fields_text(event, "type"), "DELETE") == 0;
		notice->event_count++;
	}
	return true;
}

static bool read_result(struct notice *notice, const json_t *result)
{
	notice->created = fields_true(result, "created");
	notice->canceled = fields_true(result, "canceled");
	notice->compact_revision = fields_int(result, "compact_revision");
	if (notice->canceled) {
		set_words(notice, 0, fields_text(result, "cancel_reason"));
		if (notice->compact_revision > 0)
			notice->reason = ETCD_REASON_COMPACTED;
	}
	return fields_header(&notice->header, result) && read_events(notice, json_object_get(result, "events"));
}

bool notice_read(struct notice *notice, const char *line, size_t len)
{
	json_t *root = json_loadb(line, len, 0, NULL);
	const json_t *result = json_object_get(root, "result");
	const json_t *error = json_object_get(root, "error");
	bool is_one = true;

	*notice = (struct notice){ .words = mem_strdup("") };
	if (json_is_object(result)) {
		is_one = read_result(notice, result);
	} else if (error != NULL) {
		const json_t *from = json_is_object(error) ? error : root;

		notice->canceled = true;
		set_words(notice, (int)fields_int(from, json_is_object(error) ? "grpc_code" : "code"), fields_text(from, "message"));
	} else {
		is_one = false;
	}
	json_decref(root);
	return is_one;
}

void notice_free(struct notice *notice)
{
	for (size_t i = 0; i < notice->event_count; i++)
		fields_free_pair(&notice->events[i].pair);
	free(notice->events);
	free(notice->words);
	*notice = (struct notice){ 0 };
}
