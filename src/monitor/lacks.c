#include "monitor/lacks.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"

/* The message without libpq's words for the server, which differ from node to node. */
static const char *words_of(const struct evidence *evidence)
{
	const char *at = strncmp(evidence->message, "connection to server ", strlen("connection to server ")) == 0
				 ? strstr(evidence->message, " failed: ") : NULL;

	return at != NULL ? at + strlen(" failed: ") : evidence->message;
}

/* Whether these are the lack's words. Of a file they count up to its name: OpenSSL's, which follow, may differ. */
static bool is_same(const struct lack *lack, const char *words)
{
	const char *name_end = lack->is_file ? strrchr(lack->words, '"') : NULL;

	return name_end != NULL ? strncmp(lack->words, words, (size_t)(name_end - lack->words) + 1) == 0
				: strcmp(lack->words, words) == 0;
}

/* The lack with these words, or the place for it; where none is free the last one. */
static struct lack *find(struct lacks *lacks, const char *words)
{
	struct lack *found = NULL;

	for (size_t i = LACKS_MOST; i-- > 0;) {
		struct lack *lack = &lacks->all[i];

		if (lack->nodes > 0 && is_same(lack, words))
			return lack;
		if (lack->nodes == 0)
			found = lack;
	}
	return found != NULL ? found : &lacks->all[LACKS_MOST - 1];
}

void lacks_leave(struct lacks *lacks, struct lack_met *met)
{
	if (met->lack == NULL)
		return;
	met->lack->nodes--;
	met->lack = NULL;
	lacks->generation++;
}

/* Ends the lack that the node has met, if any. */
static void end(struct lacks *lacks, struct lack_met *met)
{
	const struct lack *lack = met->lack;

	lacks_leave(lacks, met);
	if (lack != NULL && lack->nodes == 0 && lack->is_file)
		log_error("plusmoin itself no longer lacks this: %s; no login fails by it any more", lack->words);
}

static void meet(struct lacks *lacks, struct lack_met *met, const char *node, const struct evidence *evidence,
		 int64_t wall_ms)
{
	const char *words = words_of(evidence);
	struct lack *lack;

	if (met->lack != NULL && is_same(met->lack, words))
		return;
	lack = find(lacks, words);
	if (lack == met->lack)
		return;
	if (lack->nodes++ == 0) {
		text_copy(lack->words, sizeof(lack->words), words);
		lack->since_ms = wall_ms;
		lack->is_file = evidence->file;
		if (lack->is_file)
			log_error("%s: plusmoin itself lacks something: %s; no new connection can be made to this node,"
				  " nor to others with the same lack, and none of them is judged by that", node, words);
	}
	end(lacks, met);
	met->lack = lack;
	lacks->generation++;
}

void lacks_note(struct lacks *lacks, struct lack_met *met, const char *node, bool kept, const struct evidence *failure,
		int64_t wall_ms)
{
	enum lack_told told = kept ? LACK_TOLD_FRESH : LACK_TOLD_ALL;
	struct log_about about = { .node = node };

	if (failure == NULL)
		met->told = LACK_UNTOLD;
	if (failure == NULL || !failure->own_fault) {
		end(lacks, met);
		return;
	}
	meet(lacks, met, node, failure, wall_ms);
	if (failure->told || told <= met->told)
		return;
	met->told = told;
	log_line(LOG_LEVEL_ERROR, &about, "%s: plusmoin itself lacks something: %s",
		 kept ? "no fresh connection can be made" : "cannot be asked, and is not judged", failure->message);
}

void lacks_render(const struct lacks *lacks, struct json *json)
{
	jsonw_begin_array(json);
	for (size_t i = 0; i < LACKS_MOST; i++) {
		const struct lack *lack = &lacks->all[i];

		if (lack->nodes == 0)
			continue;
		jsonw_begin_object(json);
		jsonw_key(json, "message");
		jsonw_string(json, lack->words);
		jsonw_key(json, "since");
		jsonw_seconds(json, lack->since_ms);
		jsonw_key(json, "nodes");
		jsonw_int(json, (int64_t)lack->nodes);
		jsonw_end_object(json);
	}
	jsonw_end_array(json);
}
