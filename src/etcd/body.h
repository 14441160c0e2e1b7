/*
 * The bodies of requests to etcd's gateway: the one place where their JSON is made. The gateway ignores a field that it
 * does not know, so that a misspelt "compare" is a transaction without a condition; spec/program/etcd_spec.lua holds
 * that each comparison can fail. Keys are texts; values are bytes. A body is a value that its maker frees. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define BODY_OPERATIONS_MOST 128          /* etcd's default: of comparisons, and of each branch */
#define BODY_BYTES_MOST ((size_t)3 << 19) /* 1.5 MiB, etcd's default for one request */

enum body_kind {
	BODY_RANGE,
	BODY_TXN,
	BODY_GRANT,
	BODY_RENEW,
	BODY_REVOKE,
	BODY_TIME_TO_LIVE,
	BODY_WATCH,
	BODY_AUTHENTICATE,
	BODY_STATUS, /* of the member that is asked: its version, its leader */
};

/* What a comparison looks at; each is 0 of a key that is not there. */
enum body_target {
	BODY_CREATE_REVISION,
	BODY_MOD_REVISION,
	BODY_VERSION, /* how often the key was put since it was created */
	BODY_LEASE,
};

enum body_relation {
	BODY_EQUAL,
	BODY_GREATER,
	BODY_LESS,
	BODY_NOT_EQUAL,
};

/* Which branch is carried out: the first when all comparisons hold, the second when one does not. */
enum body_branch {
	BODY_SUCCESS,
	BODY_FAILURE,
};

struct body {
	enum body_kind kind;
	struct buf text;        /* the whole JSON; empty of a transaction */
	struct buf compares;    /* of a transaction: JSON values with commas between, like the branches */
	struct buf branches[2];
	size_t compare_count;
	size_t branch_counts[2];
	size_t bytes;           /* of a transaction: its size as etcd counts it, or some more */
};

struct body_range {
	const char *key;
	bool prefix;       /* all keys that begin with `key` */
	const char *after; /* with `prefix`: the keys after this one, the last of the page before; NULL: from the first */
	bool serializable; /* reads what this member has; else what the majority has agreed on */
	bool keys_only;
	int64_t limit;     /* 0: all */
	int64_t revision;  /* 0: the newest */
};

void body_range(struct body *body, const struct body_range *range);

/* Begins a transaction, to which body_compare() to body_get() add. */
void body_txn(struct body *body);
void body_compare(struct body *body, const char *key, enum body_target target, enum body_relation relation,
		  int64_t value);

/* `lease` 0: none, and a key that had one has none afterwards. */
void body_put(struct body *body, enum body_branch branch, const char *key, const void *value, size_t len, int64_t lease);
void body_delete(struct body *body, enum body_branch branch, const char *key, bool prefix);
void body_get(struct body *body, enum body_branch branch, const char *key, bool prefix);

/* How many operations etcd counts of a transaction; it refuses more than BODY_OPERATIONS_MOST. */
size_t body_operations(const struct body *body);

void body_grant(struct body *body, int64_t ttl_s);
void body_renew(struct body *body, int64_t lease);
void body_revoke(struct body *body, int64_t lease);
void body_time_to_live(struct body *body, int64_t lease);

/* `revision`: the first whose events are told; 0: from now on. */
void body_watch(struct body *body, const char *prefix, int64_t revision);
void body_authenticate(struct body *body, const char *user, const char *password);
void body_status(struct body *body);

/* The path to which it is sent: "/v3/kv/range". */
const char *body_path(enum body_kind kind);

/* The whole JSON; the caller frees it. */
char *body_json(const struct body *body, size_t *len);

void body_free(struct body *body);
