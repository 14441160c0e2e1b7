#include "window/checks.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "window/reply.h"

/* Answers with a line, which it frees. HAProxy may ask by OPTIONS, and reads no body then. */
static enum MHD_Result answer(struct visit *visit, bool well, char *line)
{
	const struct pane *pane = visit->desk->facts.pane;
	struct buf body = { 0 };
	struct MHD_Response *response;

	if (visit->method != METHOD_OPTIONS)
		buf_addf(&body, "%s\n", line);
	free(line);
	response = reply_new(&body, TYPE_TEXT);
	if (pane != NULL && pane->is_isolated)
		(void)MHD_add_response_header(response, "X-Plusmoin-Isolated", "true");
	return reply_send(visit->connection, well ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, response);
}

static char *stale_words(const struct facts *facts)
{
	int64_t stale_ms = facts_stale_ms(facts);

	return stale_ms == 0 ? NULL : mem_printf("plusmoin's monitor loop has not turned for %.1f s: no node is watched",
						 (double)stale_ms / 1000.0);
}

/* Returns a sentence that says since when the monitor is isolated, between two texts. The caller frees it. */
static char *say_isolated(const struct pane *pane, const char *before, const char *behind)
{
	struct buf text = { 0 };

	buf_addf(&text, "%splusmoin hears no other host since ", before);
	text_add_utc(&text, pane->isolated_ms);
	buf_addf(&text, " (P7)%s", behind);
	return buf_steal(&text);
}

char *checks_lack(const struct facts *facts)
{
	char *words = stale_words(facts);

	if (words != NULL)
		return words;
	if (facts->pane == NULL || !facts->pane->has_started)
		return mem_strdup("plusmoin's first rounds are not over");
	if (!facts->pane->is_isolated || !facts->terms->isolated_fails)
		return NULL;
	return say_isolated(facts->pane, "", ": it cannot say how the node is");
}

enum MHD_Result checks_answer_live(struct visit *visit)
{
	char *stale = stale_words(&visit->desk->facts);

	return answer(visit, stale == NULL, stale != NULL ? stale : mem_strdup("the monitor's loop turns"));
}

enum MHD_Result checks_answer_ready(struct visit *visit)
{
	const struct facts *facts = &visit->desk->facts;
	char *stale = stale_words(facts);

	if (stale != NULL)
		return answer(visit, false, stale);
	if (facts->pane == NULL || !facts->pane->has_started)
		return answer(visit, false, mem_strdup("plusmoin's first rounds are not over"));
	return answer(visit, true, mem_strdup("the first rounds are over"));
}

/* Returns `why`; an isolated monitor adds that this is what it knew last. The caller frees it. */
static char *say(const struct pane *pane, const char *why)
{
	char *before;
	char *line;

	if (!pane->is_isolated)
		return mem_strdup(why);
	before = mem_printf("%s; ", why);
	line = say_isolated(pane, before, ", this is what it knew then");
	free(before);
	return line;
}

enum MHD_Result checks_answer_node(struct visit *visit, const struct node_view *node, enum health health)
{
	const char *lag = reply_argument(visit->connection, "lag");
	int64_t limit_ms = HEALTH_NO_LIMIT;
	char *lack = checks_lack(&visit->desk->facts);
	char why[HEALTH_WHY_BYTES];

	if (lag != NULL && !health_parse_lag(lag, &limit_ms)) {
		free(lack);
		return reply_line(visit->connection, MHD_HTTP_BAD_REQUEST,
				  mem_strdup("lag is a number of seconds, as in ?lag=5 or ?lag=0.25"));
	}
	if (lack != NULL)
		return answer(visit, false, lack);
	health_say(node, health, limit_ms, why, sizeof(why));
	return answer(visit, health_is(node, health, limit_ms), say(visit->desk->facts.pane, why));
}

enum MHD_Result checks_answer_master(struct visit *visit, const struct view *cluster)
{
	const struct node_view *master = cluster->master;
	char *lack = checks_lack(&visit->desk->facts);
	char why[HEALTH_WHY_BYTES];

	if (lack != NULL)
		return answer(visit, false, lack);
	if (master == NULL)
		return answer(visit, false, mem_printf("cluster %d has no master", cluster->cluster_id));
	if (health_is(master, HEALTH_PRIMARY, HEALTH_NO_LIMIT))
		return answer(visit, true, mem_printf("%s:%d", master->host, master->port));
	health_say(master, HEALTH_PRIMARY, HEALTH_NO_LIMIT, why, sizeof(why));
	return answer(visit, false, mem_strdup(why));
}
