#include "pg/silence.h"

/* Whether an address has failed by an answer of its host. */
static bool was_refused(const struct dial *dial)
{
	const struct evidence *failure = dial_failure(dial);

	return failure != NULL && failure->reason != REASON_UNREACHABLE && failure->reason != REASON_DNS;
}

bool silence_is_of_path(struct silence silence)
{
	const struct dial *dial = silence.dial;
	bool unheard = dial == NULL || (!dial_has_reached(dial) && !was_refused(dial));

	if (silence.kept == NULL)
		return dial != NULL && unheard;
	return unheard && silence.fresh == NULL && (silence.door == NULL || silence.door->path) &&
	       lane_is_unacknowledged(silence.kept);
}

struct evidence silence_evidence(struct silence silence)
{
	bool connecting = silence.kept == NULL && silence.dial != NULL;
	struct evidence evidence = evidence_of_silence(
		silence.kept != NULL, connecting && dial_is_looking_up(silence.dial), silence.query_timeout_ms);

	if (connecting && !dial_hangs(silence.dial, &evidence) && dial_failure(silence.dial) != NULL)
		evidence = *dial_failure(silence.dial);
	else if (silence.door != NULL)
		evidence_prefer_door(&evidence, silence.door);
	evidence.path = !evidence.own_fault && silence_is_of_path(silence);
	return evidence;
}
