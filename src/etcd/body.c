#include "etcd/body.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "etcd/base64.h"

#define OPERATION_BYTES 40 /* of tags, lengths and numbers, at most */

/* Adds an int64 as etcd itself writes it: as text, since a JSON number may lose its last digits on the way. */
static void add_number(struct json *json, const char *name, int64_t value)
{
	struct buf out = { 0 };

	buf_addf(&out, "%" PRId64, value);
	jsonw_key(json, name);
	jsonw_string(json, buf_text(&out));
	buf_free(&out);
}

static void add_bytes(struct json *json, const char *name, const void *bytes, size_t len)
{
	struct buf out = { 0 };

	buf_add_char(&out, '"');
	base64_add(&out, bytes, len);
	buf_add_char(&out, '"');
	jsonw_key(json, name);
	jsonw_raw(json, buf_text(&out));
	buf_free(&out);
}

/* A prefix is a range up to the first key after it; where that does not exist (nothing but 0xFF) "\0" is its end. */
static void add_range_end(struct json *json, const char *prefix)
{
	size_t len = strlen(prefix);
	struct buf end = { 0 };

	while (len > 0 && (unsigned char)prefix[len - 1] == 0xFF)
		len--;
	buf_add(&end, prefix, len);
	if (len > 0)
		end.data[len - 1]++;
	else
		buf_add_char(&end, '\0');
	add_bytes(json, "range_end", end.data, end.len);
	buf_free(&end);
}

/* Adds a key, or the keys with a prefix; those of prefix "" begin with the first possible key. */
static void add_keys(struct json *json, const char *key, bool prefix)
{
	size_t len = strlen(key);

	add_bytes(json, "key", key, prefix && len == 0 ? 1 : len);
	if (prefix)
		add_range_end(json, key);
}

static void add_true(struct json *json, const char *name, bool value)
{
	if (!value)
		return;
	jsonw_key(json, name);
	jsonw_bool(json, true);
}

static struct json begin(struct body *body, enum body_kind kind)
{
	struct json json = { .out = &body->text };

	*body = (struct body){ .kind = kind };
	jsonw_begin_object(&json);
	return json;
}

void body_range(struct body *body, const struct body_range *range)
{
	struct json json = begin(body, BODY_RANGE);

	if (range->prefix && range->after != NULL) {
		add_bytes(&json, "key", range->after, strlen(range->after) + 1); /* the next key is this one and a zero */
		add_range_end(&json, range->key);
	} else {
		add_keys(&json, range->key, range->prefix);
	}
	add_true(&json, "serializable", range->serializable);
	add_true(&json, "keys_only", range->keys_only);
	if (range->limit > 0)
		add_number(&json, "limit", range->limit);
	if (range->revision > 0)
		add_number(&json, "revision", range->revision);
	jsonw_end_object(&json);
}

void body_txn(struct body *body)
{
	*body = (struct body){ .kind = BODY_TXN };
}

/* How etcd calls a target, and the field of the value that it is compared with. */
static const char *const targets[][2] = {
	[BODY_CREATE_REVISION] = { "CREATE", "create_revision" },
	[BODY_MOD_REVISION] = { "MOD", "mod_revision" },
	[BODY_VERSION] = { "VERSION", "version" },
	[BODY_LEASE] = { "LEASE", "lease" },
};

static const char *const relations[] = {
	[BODY_EQUAL] = "EQUAL",
	[BODY_GREATER] = "GREATER",
	[BODY_LESS] = "LESS",
	[BODY_NOT_EQUAL] = "NOT_EQUAL",
};

void body_compare(struct body *body, const char *key, enum body_target target, enum body_relation relation,
		  int64_t value)
{
	struct json json = { .out = &body->compares, .comma = body->compare_count > 0 };

	jsonw_begin_object(&json);
	jsonw_key(&json, "target");
	jsonw_string(&json, targets[target][0]);
	jsonw_key(&json, "result");
	jsonw_string(&json, relations[relation]);
	add_bytes(&json, "key", key, strlen(key));
	add_number(&json, targets[target][1], value);
	jsonw_end_object(&json);
	body->compare_count++;
	body->bytes += strlen(key) + OPERATION_BYTES;
}

static struct json begin_operation(struct body *body, enum body_branch branch, const char *name, size_t bytes)
{
	struct json json = { .out = &body->branches[branch], .comma = body->branch_counts[branch] > 0 };

	jsonw_begin_object(&json);
	jsonw_key(&json, name);
	jsonw_begin_object(&json);
	body->branch_counts[branch]++;
	body->bytes += bytes + OPERATION_BYTES;
	return json;
}

static void end_operation(struct json *json)
{
	jsonw_end_object(json);
	jsonw_end_object(json);
}

void body_put(struct body *body, enum body_branch branch, const char *key, const void *value, size_t len, int64_t lease)
{
	struct json json = begin_operation(body, branch, "request_put", strlen(key) + len);

	add_bytes(&json, "key", key, strlen(key));
	add_bytes(&json, "value", value, len);
	if (lease != 0)
		add_number(&json, "lease", lease);
	end_operation(&json);
}

void body_delete(struct body *body, enum body_branch branch, const char *key, bool prefix)
{
	struct json json = begin_operation(body, branch, "request_delete_range", 2 * strlen(key));

	add_keys(&json, key, prefix);
	end_operation(&json);
}

void body_get(struct body *body, enum body_branch branch, const char *key, bool prefix)
{
	struct json json = begin_operation(body, branch, "request_range", 2 * strlen(key));

	add_keys(&json, key, prefix);
	end_operation(&json);
}

size_t body_operations(const struct body *body)
{
	size_t most = body->compare_count;

	for (int branch = BODY_SUCCESS; branch <= BODY_FAILURE; branch++)
		most = body->branch_counts[branch] > most ? body->branch_counts[branch] : most;
	return most;
}

/* Makes a body of one number. */
static void one_number(struct body *body, enum body_kind kind, const char *name, int64_t value)
{
	struct json json = begin(body, kind);

	add_number(&json, name, value);
	jsonw_end_object(&json);
}

void body_grant(struct body *body, int64_t ttl_s)
{
	one_number(body, BODY_GRANT, "TTL", ttl_s);
}

void body_renew(struct body *body, int64_t lease)
{
	one_number(body, BODY_RENEW, "ID", lease);
}

void body_revoke(struct body *body, int64_t lease)
{
	one_number(body, BODY_REVOKE, "ID", lease);
}

void body_time_to_live(struct body *body, int64_t lease)
{
	one_number(body, BODY_TIME_TO_LIVE, "ID", lease);
}

void body_watch(struct body *body, const char *prefix, int64_t revision)
{
	struct json json = begin(body, BODY_WATCH);

	jsonw_key(&json, "create_request");
	jsonw_begin_object(&json);
	add_keys(&json, prefix, true);
	if (revision > 0)
		add_number(&json, "start_revision", revision);
	jsonw_end_object(&json);
	jsonw_end_object(&json);
}

void body_authenticate(struct body *body, const char *user, const char *password)
{
	struct json json = begin(body, BODY_AUTHENTICATE);

	jsonw_key(&json, "name");
	jsonw_string(&json, user);
	jsonw_key(&json, "password");
	jsonw_string(&json, password);
	jsonw_end_object(&json);
}

void body_status(struct body *body)
{
	struct json json = begin(body, BODY_STATUS);

	jsonw_end_object(&json);
}

const char *body_path(enum body_kind kind)
{
	static const char *const paths[] = {
		[BODY_RANGE] = "/v3/kv/range",
		[BODY_TXN] = "/v3/kv/txn",
		[BODY_GRANT] = "/v3/lease/grant",
		[BODY_RENEW] = "/v3/lease/keepalive",
		[BODY_REVOKE] = "/v3/lease/revoke",
		[BODY_TIME_TO_LIVE] = "/v3/lease/timetolive",
		[BODY_WATCH] = "/v3/watch",
		[BODY_AUTHENTICATE] = "/v3/auth/authenticate",
		[BODY_STATUS] = "/v3/maintenance/status",
	};

	return paths[kind];
}

/* A list of JSON values that are written already. */
static void add_list(struct json *json, const char *name, const struct buf *list)
{
	jsonw_key(json, name);
	jsonw_begin_array(json);
	if (list->len > 0)
		jsonw_raw(json, buf_text(list));
	jsonw_end_array(json);
}

char *body_json(const struct body *body, size_t *len)
{
	struct buf out = { 0 };
	struct json json = { .out = &out };

	if (body->kind == BODY_TXN) {
		jsonw_begin_object(&json);
		add_list(&json, "compare", &body->compares);
		add_list(&json, "success", &body->branches[BODY_SUCCESS]);
		add_list(&json, "failure", &body->branches[BODY_FAILURE]);
		jsonw_end_object(&json);
	} else {
		buf_add(&out, body->text.data, body->text.len);
	}
	*len = out.len;
	return buf_steal(&out);
}

void body_free(struct body *body)
{
	buf_free(&body->text);
	buf_free(&body->compares);
	buf_free(&body->branches[BODY_SUCCESS]);
	buf_free(&body->branches[BODY_FAILURE]);
}
