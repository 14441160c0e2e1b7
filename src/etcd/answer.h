/*
 * Answers of etcd's gateway, read by what they hold, not by the HTTP status alone. An answer is a value; a callback
 * that is given one may use it during the call only. Pure.
 */
#pragma once

#include "etcd/body.h"
#include "etcd/fields.h"
#include "etcd/refusal.h"

/* The result of one operation of the transaction's branch that was carried out. */
struct answer_part {
	struct etcd_pairs pairs; /* of a get */
	int64_t deleted;         /* of a delete: how many keys */
};

struct answer {
	enum etcd_outcome outcome;
	enum etcd_reason reason;
	char *words;               /* what etcd said, or what happened, for a log line; "" when the request is done */
	struct etcd_header header; /* zero when there was none; its revision is also that of a transaction */
	int64_t sent_ms;           /* steady (CLOCK_BOOTTIME): the request was not sent before this */
	struct etcd_pairs pairs;   /* of a range */
	int64_t count;             /* of a range: how many keys there are */
	bool more;                 /* of a range: there are more than `pairs` */
	struct answer_part *parts; /* of a transaction, in the order of its operations */
	size_t part_count;
	int64_t lease;             /* of grant, renew and time-to-live */
	int64_t ttl_s;             /* of these three: what etcd gave, which may be more than was asked for */
	int64_t granted_ttl_s;     /* of time-to-live: the TTL with which the lease began */
	char *token;               /* of authenticate; else NULL */
	char *version;             /* of status; else NULL */
	bool has_leader;           /* of status */
	char *alarms;              /* of status: "" or what is wrong with the member, in its words */
};

/* Reads what came for a request of this kind; the answer's words are cut at 300 bytes. */
void answer_read(struct answer *answer, enum body_kind kind, long status, const char *text, size_t len);

/* Makes an answer of a request that has none, or none that is valid. */
void answer_fail(struct answer *answer, enum etcd_outcome outcome, enum etcd_reason reason, const char *words);

void answer_free(struct answer *answer);
