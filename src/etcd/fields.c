#include "etcd/fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "etcd/base64.h"

int64_t fields_int(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (json_is_string(value))
		return strtoll(json_string_value(value), NULL, 10);
	return json_integer_value(value);
}

uint64_t fields_unsigned(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (json_is_string(value))
		return strtoull(json_string_value(value), NULL, 10);
	return (uint64_t)json_integer_value(value);
}

const char *fields_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

bool fields_true(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

bool fields_header(struct etcd_header *header, const json_t *object)
{
	const json_t *given = json_object_get(object, "header");

	if (!json_is_object(given))
		return false;
	header->cluster_id = fields_unsigned(given, "cluster_id");
	header->member_id = fields_unsigned(given, "member_id");
	header->raft_term = fields_unsigned(given, "raft_term");
	header->revision = fields_int(given, "revision");
	return true;
}

/* The field's bytes, terminated, for the caller to free; NULL when they are no base64. */
static char *bytes_of(const json_t *object, const char *name, size_t *len)
{
	const char *text = fields_text(object, name);
	struct buf out = { 0 };

	if (!base64_read(&out, text, strlen(text))) {
		buf_free(&out);
		return NULL;
	}
	*len = out.len;
	buf_add_str(&out, ""); /* makes a text, also of no bytes */
	return out.data != NULL ? buf_steal(&out) : mem_strdup("");
}

bool fields_pair(struct etcd_pair *pair, const json_t *kv)
{
	*pair = (struct etcd_pair){
		.create_revision = fields_int(kv, "create_revision"),
		.mod_revision = fields_int(kv, "mod_revision"),
		.version = fields_int(kv, "version"),
		.lease = fields_int(kv, "lease"),
	};
	pair->key = bytes_of(kv, "key", &pair->key_len);
	pair->value = bytes_of(kv, "value", &pair->value_len);
	if (pair->key != NULL && pair->value != NULL && pair->key_len > 0)
		return true;
	fields_free_pair(pair);
	return false;
}

void fields_free_pair(struct etcd_pair *pair)
{
	free(pair->key);
	free(pair->value);
	*pair = (struct etcd_pair){ 0 };
}

bool fields_pairs(struct etcd_pairs *pairs, const json_t *kvs)
{
	size_t count = json_array_size(kvs);

	if (count == 0)
		return true;
	pairs->items = mem_grow(pairs->items, pairs->count + count, sizeof(*pairs->items));
	for (size_t i = 0; i < count; i++) {
		if (!fields_pair(&pairs->items[pairs->count], json_array_get(kvs, i)))
			return false;
		pairs->count++;
	}
	return true;
}

void fields_free_pairs(struct etcd_pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++)
		fields_free_pair(&pairs->items[i]);
	free(pairs->items);
	*pairs = (struct etcd_pairs){ 0 };
}
