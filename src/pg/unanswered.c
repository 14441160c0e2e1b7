#include "pg/unanswered.h"

/* Whether an address has failed by an answer of its host. */
static bool was_refused(const struct dial *dial)
{
	const struct evidence *failure = dial_failure(dial);

	return failure != NULL && failure->reason != REASON_UNREACHABLE && failure->reason != REASON_DNS;
}

bool unanswered_is_of_path(struct unanswered unanswered)
{
	const struct dial *dial = unanswered.dial;
	bool unheard = dial == NULL || (!dial_has_reached(dial) && !was_refused(dial));

	if (unanswered.kept == NULL)
		return dial != NULL && unheard;
	return unheard && unanswered.fresh == NULL && (unanswered.door == NULL || unanswered.door->path) &&
	       lane_is_unacknowledged(unanswered.kept);
}

struct evidence unanswered_evidence(struct unanswered unanswered)
{
	bool connecting = unanswered.kept == NULL && unanswered.dial != NULL;
	struct evidence evidence = evidence_of_silence(
		unanswered.kept != NULL, connecting && dial_is_looking_up(unanswered.dial), unanswered.query_timeout_ms);

	if (connecting && !dial_hangs(unanswered.dial, &evidence) && dial_failure(unanswered.dial) != NULL)
		evidence = *dial_failure(unanswered.dial);
	else if (unanswered.door != NULL)
		evidence_prefer_door(&evidence, unanswered.door);
	evidence.path = !evidence.own_fault && unanswered_is_of_path(unanswered);
	return evidence;
}
