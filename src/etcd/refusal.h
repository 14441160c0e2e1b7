/*
 * What became of a request that etcd, or a proxy before it, did not carry out, by its code and words. What counts is
 * whether the request can have been carried out, or still can be. Pure.
 */
#pragma once

#include <stddef.h>

#include "net/http.h"

enum etcd_outcome {
	ETCD_DONE,
	ETCD_DIFFERS, /* a transaction whose comparisons did not hold: its other branch was carried out */
	ETCD_REFUSED, /* it was not carried out, and never will be: somebody must change something */
	ETCD_AWAY,    /* it was not carried out, and will not be: no member could take it, but one may later */
	ETCD_UNKNOWN, /* it was carried out, or was not, or will be later: no read can tell (etcd/barrier.h) */
};

enum etcd_reason {
	ETCD_REASON_NONE,
	ETCD_REASON_UNREACHED,  /* no connection could be made */
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
	ETCD_REASON_STALE,      /* the member is in a raft term that is over */
	ETCD_REASON_NOT_ETCD,   /* no answer of etcd's gateway */
	ETCD_REASON_OTHER,
};

/* Judges an error of etcd's gateway by its words, and the gRPC code that it names. */
enum etcd_outcome refusal_of_code(int code, const char *words, enum etcd_reason *reason);

/* Judges an answer that is no JSON, or not etcd's, by its HTTP status and text. */
enum etcd_outcome refusal_of_text(long status, const char *text, enum etcd_reason *reason);

/* "done", "compare failed", "refused", "away", "unknown". */
const char *refusal_outcome_name(enum etcd_outcome outcome);
const char *refusal_reason_name(enum etcd_reason reason);

/*
 * Returns the words for a request to this URL that libcurl says has failed, the caller's. Where the connection was lost
 * after its set-up with TLS and before any answer, and we have no certificate (`certfile` NULL), they add that etcd may
 * ask for one: in TLS 1.3 the server says so only then, and of its alert often nothing is left but the lost connection.
 */
char *refusal_of_transport(const char *error, const struct http_answer *came, const char *url, const char *certfile);
