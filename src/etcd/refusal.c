#include "etcd/refusal.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

/* gRPC codes. */
enum code {
	CODE_INVALID = 3,
	CODE_NOT_FOUND = 5,
	CODE_EXISTS = 6,
	CODE_PERMISSION = 7,
	CODE_EXHAUSTED = 8,
	CODE_PRECONDITION = 9,
	CODE_OUT_OF_RANGE = 11,
	CODE_UNIMPLEMENTED = 12,
	CODE_UNAUTHENTICATED = 16,
};

struct row {
	const char *words; /* a part of what etcd says */
	enum etcd_outcome outcome;
	enum etcd_reason reason;
};

/*
 * The words decide before the code does. etcd says "etcdserver: no leader", and all that is a refusal here, before it
 * proposes anything to its members; anything else it may say of a transaction that is under way.
 */
static const struct row rows[] = {
	{ "etcdserver: no leader", ETCD_AWAY, ETCD_REASON_NO_LEADER },
	{ "etcdserver: user name is empty", ETCD_REFUSED, ETCD_REASON_LOGIN },
	{ "etcdserver: invalid auth token", ETCD_REFUSED, ETCD_REASON_LOGIN },
	{ "etcdserver: revision of auth store is old", ETCD_REFUSED, ETCD_REASON_LOGIN },
	{ "etcdserver: authentication failed", ETCD_REFUSED, ETCD_REASON_LOGIN },
	{ "CommonName of client", ETCD_REFUSED, ETCD_REASON_LOGIN },
	{ "etcdserver: authentication is not enabled", ETCD_REFUSED, ETCD_REASON_NO_LOGIN },
	{ "etcdserver: permission denied", ETCD_REFUSED, ETCD_REASON_PERMISSION },
	{ "etcdserver: too many operations", ETCD_REFUSED, ETCD_REASON_TOO_MANY },
	{ "etcdserver: request is too large", ETCD_REFUSED, ETCD_REASON_TOO_LARGE },
	{ "received message larger than max", ETCD_REFUSED, ETCD_REASON_TOO_LARGE },
	{ "etcdserver: mvcc: database space exceeded", ETCD_REFUSED, ETCD_REASON_NO_SPACE },
	{ "etcdserver: mvcc: required revision has been compacted", ETCD_REFUSED, ETCD_REASON_COMPACTED },
	{ "etcdserver: mvcc: required revision is a future revision", ETCD_REFUSED, ETCD_REASON_FUTURE },
	{ "etcdserver: requested lease not found", ETCD_REFUSED, ETCD_REASON_LEASE_GONE },
};

static bool is_known(const char *text, enum etcd_outcome *outcome, enum etcd_reason *reason)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strstr(text, rows[i].words) == NULL)
			continue;
		*outcome = rows[i].outcome;
		*reason = rows[i].reason;
		return true;
	}
	return false;
}

/* These codes say that the request itself was wrong; all others may be said of one that is under way. */
static bool is_refusal(int code)
{
	static const int codes[] = { CODE_INVALID, CODE_NOT_FOUND, CODE_EXISTS, CODE_PERMISSION, CODE_EXHAUSTED,
				     CODE_PRECONDITION, CODE_OUT_OF_RANGE, CODE_UNIMPLEMENTED, CODE_UNAUTHENTICATED };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i] == code)
			return true;
	}
	return false;
}

enum etcd_outcome refusal_of_code(int code, const char *words, enum etcd_reason *reason)
{
	enum etcd_outcome outcome;

	if (is_known(words, &outcome, reason))
		return outcome;
	*reason = ETCD_REASON_OTHER;
	if (!is_refusal(code)) {
		if (strstr(words, "timed out") != NULL || strstr(words, "deadline exceeded") != NULL)
			*reason = ETCD_REASON_TIMEOUT;
		return ETCD_UNKNOWN;
	}
	if (code == CODE_PERMISSION)
		*reason = ETCD_REASON_PERMISSION;
	if (code == CODE_UNAUTHENTICATED)
		*reason = ETCD_REASON_LOGIN;
	return ETCD_REFUSED;
}

enum etcd_outcome refusal_of_text(long status, const char *text, enum etcd_reason *reason)
{
	enum etcd_outcome outcome;

	*reason = ETCD_REASON_NOT_ETCD;
	/* a proxy that says 5xx, 408 or 429 may have passed the request on */
	if (status < 400 || status >= 500 || status == 408 || status == 429)
		return ETCD_UNKNOWN;
	return is_known(text, &outcome, reason) ? outcome : ETCD_REFUSED;
}

const char *refusal_outcome_name(enum etcd_outcome outcome)
{
	static const char *const names[] = {
		[ETCD_DONE] = "done",       [ETCD_DIFFERS] = "compare failed", [ETCD_REFUSED] = "refused",
		[ETCD_AWAY] = "away",       [ETCD_UNKNOWN] = "unknown",
	};

	return names[outcome];
}

const char *refusal_reason_name(enum etcd_reason reason)
{
	static const char *const names[] = {
		[ETCD_REASON_NONE] = "",
		[ETCD_REASON_UNREACHED] = "unreached",
		[ETCD_REASON_LOST] = "lost",
		[ETCD_REASON_TIMEOUT] = "timeout",
		[ETCD_REASON_NO_LEADER] = "no leader",
		[ETCD_REASON_LOGIN] = "login",
		[ETCD_REASON_NO_LOGIN] = "no login",
		[ETCD_REASON_PERMISSION] = "permission",
		[ETCD_REASON_TOO_MANY] = "too many",
		[ETCD_REASON_TOO_LARGE] = "too large",
		[ETCD_REASON_NO_SPACE] = "no space",
		[ETCD_REASON_COMPACTED] = "compacted",
		[ETCD_REASON_FUTURE] = "future",
		[ETCD_REASON_LEASE_GONE] = "lease gone",
		[ETCD_REASON_STALE] = "stale",
		[ETCD_REASON_NOT_ETCD] = "not etcd",
		[ETCD_REASON_OTHER] = "other",
	};

	return names[reason];
}

char *refusal_of_transport(const char *error, const struct http_answer *came, const char *url, const char *certfile)
{
	bool may_want_one = came->reached && !came->timed_out && came->head.len == 0 && came->body.len == 0 &&
			    certfile == NULL && strncmp(url, "https:", 6) == 0;

	return mem_printf("%s%s", error, may_want_one ? " (etcd may ask for a certificate: monitors.certfile)" : "");
}
