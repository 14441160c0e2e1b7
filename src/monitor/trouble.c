#include "monitor/trouble.h"

#include "base/log.h"
#include "monitor/tell.h"

static enum failing how_it_fails(const struct node *node)
{
	if (node->failure.attempts == 0)
		return FAILING_NOT;
	if (node->failure.reason == REASON_SAME_SERVER)
		return FAILING_TWIN;
	if (node->failure.reason == REASON_NO_NEW_CONNECTIONS)
		return FAILING_FRESH;
	if (node->failure.answered)
		return FAILING_BEAT;
	if (node->failure.reason == REASON_TABLE || node->failure.reason == REASON_QUERY_ERROR ||
	    (node->failure.reason == REASON_FULL && node->failure.kept))
		return FAILING_QUESTION;
	return FAILING_ANSWER;
}

/*
 * Whether the reason of a failure is logged as an error: of a node that has never answered, and so is no loss, each
 * reason is, once.
 */
static bool is_unheard_news(struct trouble *trouble, const struct node *node)
{
	enum reason reason = node->failure.reason;

	if (node->known || trouble->told_unheard[reason])
		return false;
	trouble->told_unheard[reason] = true;
	return true;
}

bool trouble_tell(struct trouble *trouble, const struct node *node, bool heard)
{
	static const char *const words[] = {
		[FAILING_ANSWER] = "no answer",
		[FAILING_QUESTION] = "a question was refused",
		[FAILING_FRESH] = "no fresh connection",
		[FAILING_BEAT] = "its beat is not written",
		[FAILING_TWIN] = "one server is listed twice",
	};
	enum failing failing = how_it_fails(node);
	enum failing before = trouble->failing;
	struct log_about about = tell_node_about(node);
	bool unheard_news = failing != FAILING_NOT && is_unheard_news(trouble, node);
	bool loud = failing == FAILING_BEAT || failing == FAILING_TWIN || unheard_news;

	if (failing == before && !unheard_news)
		return false;
	about.reason = failing != FAILING_NOT ? reason_name(node->failure.reason) : NULL;
	trouble->failing = failing;
	/*
	 * an unwritten beat is a loss (contract.md), a node that never answered is missed: both, and their ends, are
	 * errors
	 */
	if (failing != FAILING_NOT)
		log_line(loud ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, &about, "%s: %s", words[failing],
			 node->shown->failure);
	else
		log_line(trouble->told_error ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, &about, "%s",
			 heard ? "answers again" : "answers");
	trouble->told_error = loud || (trouble->told_error && failing != FAILING_NOT);
	return (failing == FAILING_NOT) != (before == FAILING_NOT);
}
