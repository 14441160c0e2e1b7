#include "pg/unanswered.h"

/* Whether an address has failed by an answer of its host. */
static bool was_refused(const struct dial *dial)
{
	const struct evidence *failure = dial_failure(dial);

	return failure != NULL && failure->reason != REASON_UNREACHABLE && failure->reason != REASON_DNS;
}

/* Whether no connect has had an answer of the host; true also where none is under way. */
static bool is_unheard(struct unanswered unanswered)
{
	const struct dial *dial = unanswered.dial;

	return (dial == NULL || (!dial_has_reached(dial) && !was_refused(dial))) && unanswered.fresh == NULL &&
	       (unanswered.door == NULL || unanswered.door->path);
}

bool unanswered_is_of_path(struct unanswered unanswered)
{
	if (unanswered.kept == NULL)
		return unanswered.dial != NULL && is_unheard(unanswered);
	return is_unheard(unanswered) && lane_is_unacknowledged(unanswered.kept);
}

/*
 * The same at the end of the task's time. The connect that was begun at half of it tells of a later moment than the
 * kept connection, whose question the host may have acknowledged before the way to it failed and its answer was lost.
 */
static bool is_of_path_at_last(struct unanswered unanswered)
{
	return is_unheard(unanswered) && (unanswered.dial != NULL || unanswered_is_of_path(unanswered));
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
	evidence.path = !evidence.own_fault && is_of_path_at_last(unanswered);
	return evidence;
}
