#include "core/condition.h"

#include "core/cut_off.h"
#include "core/vouch.h"

static bool is_held(const struct node *node)
{
	return node->door != REASON_NONE ||
	       (node->failure.attempts > 0 && node->failure.may_hold);
}

static enum condition condition_in_place(const struct node *node)
{
	if (is_held(node))
		return CONDITION_HELD;
	if (node->failure.attempts > 0 && node_vouch_ends(node) != INT64_MIN)
		return CONDITION_VOUCHED_FOR;
	return node->failure.attempts > 0 ? CONDITION_FAILING : CONDITION_WELL;
}

/*
 * Lost and clusterless nodes. A failure of theirs counts at once. Where one answers, the reason that keeps it lost
 * goes before a failed fresh connection, because it says more.
 */
static enum condition condition_out_of_place(const struct node *node)
{
	if (node->failure.attempts > 0)
		return CONDITION_DOWN;
	if (node->reason == REASON_LAG || node->reason == REASON_DEMOTED)
		return CONDITION_LATE;
	if (node->reason != REASON_NONE)
		return CONDITION_DOWN;
	if (node->door != REASON_NONE)
		return CONDITION_HELD;
	return node->place == PLACE_LOST ? CONDITION_UNKNOWN : CONDITION_WELL;
}

enum condition node_condition(const struct node *node)
{
	if (!node->known && node->failure.attempts == 0)
		return CONDITION_UNKNOWN;
	if (node_is_in_place(node) && fleet_is_cut_off(node->fleet))
		return CONDITION_ISOLATED;
	return node_is_in_place(node) ? condition_in_place(node) : condition_out_of_place(node);
}

const char *condition_name(enum condition condition)
{
	static const char *const names[] = {
		[CONDITION_WELL] = "well",
		[CONDITION_FAILING] = "failing",
		[CONDITION_HELD] = "held",
		[CONDITION_VOUCHED_FOR] = "vouched_for",
		[CONDITION_ISOLATED] = "isolated",
		[CONDITION_LATE] = "late",
		[CONDITION_DOWN] = "down",
		[CONDITION_UNKNOWN] = "unknown",
	};

	return names[condition];
}

enum reason node_why(const struct node *node, const char **message)
{
	*message = NULL;
	switch (node_condition(node)) {
	case CONDITION_HELD:
		*message = node->door != REASON_NONE ? node->shown->door : node->shown->failure;
		return node->door != REASON_NONE ? node->door : node->failure.reason;
	case CONDITION_LATE:
	case CONDITION_DOWN:
		*message = node->failure.attempts > 0 ? node->shown->failure : node->shown->reason;
		return node->failure.attempts > 0 ? node->failure.reason : node->reason;
	case CONDITION_WELL:
	case CONDITION_FAILING:
	case CONDITION_VOUCHED_FOR:
	case CONDITION_ISOLATED:
	case CONDITION_UNKNOWN:
		break;
	}
	return REASON_NONE;
}
