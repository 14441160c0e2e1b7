#include "pg/tried.h"

#include <string.h>

/*
 * How much a failure tells of the server: an unreachable network, or silence, least, the server's own
 * words most. A fault of our own is worth even more, as it makes all other failures doubtful.
 */
static int worth(const struct evidence *evidence)
{
	static const enum reason rising[] = {
		REASON_UNREACHABLE, REASON_TIMEOUT, REASON_MALFORMED, REASON_RESET, REASON_REFUSED,
	};
	int count = sizeof(rising) / sizeof(rising[0]);

	for (int i = 0; i < count && !evidence->own_fault; i++) {
		if (evidence->reason == rising[i])
			return i;
	}
	return evidence->own_fault ? count + 1 : count;
}

void tried_note(struct tried *tried, const struct evidence *evidence, const char *address)
{
	struct evidence what = *evidence;
	bool is_ipv6 = address != NULL && strchr(address, ':') != NULL;

	if (is_ipv6 && what.own_fault && what.reason == REASON_UNREACHABLE)
		what.own_fault = false; /* this machine may have no IPv6 address; with IPv4 it has no port left */
	if (!tried->has_failed || worth(&what) > worth(&tried->best))
		tried->best = what;
	tried->has_failed = true;
}

bool tried_is_of_path(const struct tried *tried, const struct evidence *evidence)
{
	return !evidence->own_fault && !tried->reached &&
	       (evidence->reason == REASON_DNS || evidence->reason == REASON_UNREACHABLE ||
		evidence->reason == REASON_TIMEOUT);
}
