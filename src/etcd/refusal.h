/*
 * What a request came to when etcd, or what stands before it, did not do it: by code and words, or by what happened to
 * the connection. What counts is whether the request can have been carried out, or still can be. Pure.
 */
#pragma once

#include <stddef.h>

enum etcd_outcome {
	ETCD_DONE,
	ETCD_DIFFERS, /* a transaction whose comparisons did not hold: its other branch was carried out */
	ETCD_REFUSED, /* it was not carried out, and never will be: somebody must change something */
	ETCD_AWAY,    /* the same: nobody could take it; later, or elsewhere, somebody may */
	ETCD_UNKNOWN, /* it was carried out, or was not, or will be later: no read can tell (etcd/barrier.h) */
};

enum etcd_reason {
	ETCD_REASON_NONE,
	ETCD_REASON_UNREACHED,  /* no connection came to stand */
	ETCD_REASON_LOST,       /* the connection ended before the answer */
	ETCD_REASON_TIMEOUT,
	ETCD_REASON_NO_LEADER,  /* the member sees none, and says so at once */
	ETCD_REASON_LOGIN,      /* no token, a wrong one, or a wrong password */
	ETCD_REASON_NO_LOGIN,   /* authentication is not enabled */
	ETCD_REASON_PERMISSION,
	ETCD_REASON_TOO_MANY,   /* operations in one transaction */
	ETCD_REASON_TOO_LARGE,
	ETCD_REASON_NO_SPACE,
	ETCD_REASON_COMPACTED,
	ETCD_REASON_FUTURE,     /* a revision that the store has not reached */
	ETCD_REASON_LEASE_GONE,
	ETCD_REASON_STALE,      /* the member lives in a raft term that is over */
	ETCD_REASON_NOT_ETCD,   /* no answer of etcd's gateway */
	ETCD_REASON_OTHER,
};

/* Words of an error of etcd's gateway, with the code of gRPC that it names. */
enum etcd_outcome refusal_of_code(int code, const char *words, enum etcd_reason *reason);

/* An answer that is no JSON, or is none of etcd's, by its HTTP status and text. */
enum etcd_outcome refusal_of_text(long status, const char *text, enum etcd_reason *reason);

/* "done", "compare failed", "refused", "away", "unknown". */
const char *refusal_outcome_name(enum etcd_outcome outcome);
const char *refusal_reason_name(enum etcd_reason reason);
