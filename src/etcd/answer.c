#include "etcd/answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define WORDS_BYTES 300

void answer_fail(struct answer *answer, enum etcd_outcome outcome, enum etcd_reason reason, const char *words)
{
	struct buf line = { 0 };

	text_add_escaped(&line, words, text_cut(words, WORDS_BYTES));
	answer->outcome = outcome;
	answer->reason = reason;
	free(answer->words);
	answer->words = mem_strdup(buf_text(&line));
	buf_free(&line);
}

/* {"error":"text","message":"text","code":N}, or of streams {"error":{"grpc_code":N,"message":"text"}}. */
static bool read_error(struct answer *answer, const json_t *root)
{
	const json_t *error = json_object_get(root, "error");
	const json_t *from = json_is_object(error) ? error : root;
	const char *words = fields_text(from, "message");
	int code = (int)fields_int(from, json_is_object(error) ? "grpc_code" : "code");
	enum etcd_reason reason;
	enum etcd_outcome outcome;

	if (error == NULL && code == 0)
		return false;
	if (words[0] == '\0')
		words = fields_text(root, "error");
	outcome = refusal_of_code(code, words, &reason);
	answer_fail(answer, outcome, reason, words);
	return true;
}

static bool read_part(struct answer_part *part, const json_t *response)
{
	const json_t *range = json_object_get(response, "response_range");
	const json_t *deletes = json_object_get(response, "response_delete_range");

	part->deleted = fields_int(deletes, "deleted");
	return fields_pairs(&part->pairs, json_object_get(range, "kvs"));
}

static bool read_txn(struct answer *answer, const json_t *root)
{
	const json_t *responses = json_object_get(root, "responses");
	size_t count = json_array_size(responses);

	if (count > 0)
		answer->parts = mem_zalloc(count, sizeof(*answer->parts));
	answer->part_count = count;
	for (size_t i = 0; i < count; i++) {
		if (!read_part(&answer->parts[i], json_array_get(responses, i)))
			return false;
	}
	if (!fields_true(root, "succeeded"))
		answer->outcome = ETCD_DIFFERS;
	return true;
}

static bool read_range(struct answer *answer, const json_t *root)
{
	answer->count = fields_int(root, "count");
	answer->more = fields_true(root, "more");
	return fields_pairs(&answer->pairs, json_object_get(root, "kvs"));
}

/* Reads a lease. etcd tells of one that is gone by a TTL that is missing, or below 0. */
static bool read_lease(struct answer *answer, const json_t *root)
{
	answer->lease = fields_int(root, "ID");
	answer->ttl_s = fields_int(root, "TTL");
	answer->granted_ttl_s = fields_int(root, "grantedTTL");
	if (answer->lease == 0)
		return false;
	if (answer->ttl_s <= 0)
		answer_fail(answer, ETCD_REFUSED, ETCD_REASON_LEASE_GONE, "the lease is gone");
	return true;
}

static bool read_token(struct answer *answer, const json_t *root)
{
	answer->token = mem_strdup(fields_text(root, "token"));
	return answer->token[0] != '\0';
}

static bool read_status(struct answer *answer, const json_t *root)
{
	const json_t *errors = json_object_get(root, "errors");
	struct buf alarms = { 0 };

	answer->version = mem_strdup(fields_text(root, "version"));
	answer->has_leader = fields_unsigned(root, "leader") != 0;
	for (size_t i = 0; i < json_array_size(errors); i++) {
		const char *alarm = json_string_value(json_array_get(errors, i));

		if (alarm != NULL)
			buf_addf(&alarms, "%s%s", alarms.len > 0 ? "; " : "", alarm);
	}
	answer->alarms = mem_strdup(buf_text(&alarms));
	buf_free(&alarms);
	return answer->version[0] != '\0';
}

/* Reads what a request of this kind is answered with. False: it is no such answer. */
static bool read_kind(struct answer *answer, enum body_kind kind, const json_t *root)
{
	switch (kind) {
	case BODY_RANGE:
		return read_range(answer, root);
	case BODY_TXN:
		return read_txn(answer, root);
	case BODY_GRANT:
	case BODY_RENEW:
	case BODY_TIME_TO_LIVE:
		return read_lease(answer, root);
	case BODY_AUTHENTICATE:
		return read_token(answer, root);
	case BODY_STATUS:
		return read_status(answer, root);
	case BODY_REVOKE:
		return true;
	case BODY_WATCH: /* its lines are notices */
		return false;
	}
	return false;
}

static void read_object(struct answer *answer, enum body_kind kind, long status, const json_t *root)
{
	const json_t *result = json_object_get(root, "result"); /* the answer to a renewal is a stream's */

	if (read_error(answer, root))
		return;
	if (json_is_object(result))
		root = result;
	if (status != 200 || !fields_header(&answer->header, root) || !read_kind(answer, kind, root))
		answer_fail(answer, ETCD_UNKNOWN, ETCD_REASON_NOT_ETCD, "the answer is not one of etcd's gateway");
}

void answer_read(struct answer *answer, enum body_kind kind, long status, const char *text, size_t len)
{
	json_t *root = json_loadb(text != NULL ? text : "", len, JSON_DISABLE_EOF_CHECK, NULL);

	answer->outcome = ETCD_DONE;
	answer->reason = ETCD_REASON_NONE;
	if (json_is_object(root)) {
		read_object(answer, kind, status, root);
	} else {
		char *said = mem_strndup(text != NULL ? text : "", len);
		char *words = mem_printf("HTTP status %ld: %s", status, said);
		enum etcd_reason reason;
		enum etcd_outcome outcome = refusal_of_text(status, said, &reason);

		answer_fail(answer, outcome, reason, words);
		free(words);
		free(said);
	}
	if (answer->words == NULL)
		answer->words = mem_strdup("");
	json_decref(root);
}

void answer_free(struct answer *answer)
{
	fields_free_pairs(&answer->pairs);
	for (size_t i = 0; i < answer->part_count; i++)
		fields_free_pairs(&answer->parts[i].pairs);
	free(answer->parts);
	free(answer->words);
	free(answer->token);
	free(answer->version);
	free(answer->alarms);
	*answer = (struct answer){ 0 };
}
