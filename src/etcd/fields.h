/*
 * Fields of the JSON that etcd's gateway answers with: int64 come as texts (or numbers), bytes in base64, and what is
 * zero, false or empty is not there. Pure; whoever calls it holds the tree.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* A key and what it holds. */
struct etcd_pair {
	char *key;
	char *value; /* of a deleted key: "" */
	size_t key_len;
	size_t value_len;
	int64_t create_revision;
	int64_t mod_revision;
	int64_t version;
	int64_t lease; /* 0: none */
};

struct etcd_pairs {
	struct etcd_pair *items;
	size_t count;
};

/* What each answer tells of the member that gave it. */
struct etcd_header {
	uint64_t cluster_id;
	uint64_t member_id;
	uint64_t raft_term;
	int64_t revision; /* of the store */
};

/* The field's number; 0 when it is not there, or no number. */
int64_t fields_int(const json_t *object, const char *name);
uint64_t fields_unsigned(const json_t *object, const char *name);

/* The field's text, which is the tree's; "" when it is not there, or no text. */
const char *fields_text(const json_t *object, const char *name);

/* Whether the field is there and true. */
bool fields_true(const json_t *object, const char *name);

/* Reads the header. False: there is none. */
bool fields_header(struct etcd_header *header, const json_t *object);

/* Reads a kv of etcd's; false when it is none. */
bool fields_pair(struct etcd_pair *pair, const json_t *kv);
void fields_free_pair(struct etcd_pair *pair);

/* Appends the kvs of a list (NULL: none); false when one is none. */
bool fields_pairs(struct etcd_pairs *pairs, const json_t *kvs);
void fields_free_pairs(struct etcd_pairs *pairs);
