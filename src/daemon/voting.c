#include "daemon/voting.h"

#include "base/log.h"

/* NULL: there is none yet, or not any more. */
static const struct polls *polls_of(struct daemon *daemon)
{
	struct council *council = shift_council(daemon->shift);

	return council != NULL ? council_polls(council) : NULL;
}

/* ---- what the jury says ---- */

static void on_ask(void *data, const char *node, unsigned long number)
{
	const struct polls *polls = polls_of(data);

	if (polls != NULL)
		polls_ask(polls, node, number);
}

static void on_see(void *data, const char *node, unsigned long number, const struct vote *vote, size_t missing)
{
	const struct polls *polls = polls_of(data);

	if (polls != NULL)
		polls_see(polls, node, number, vote, missing);
}

static void on_behind(void *data, size_t missing)
{
	struct daemon *daemon = data;
	struct council *council = shift_council(daemon->shift);

	if (council == NULL || council_term(council) == 0)
		return;
	if (missing == 0)
		log_error("this monitor is isolated, and another one is not: it hands back the term");
	else
		log_error("this monitor fails to see %zu node%s, more than most of the others do: it hands back the term",
			  missing, missing == 1 ? "" : "s");
	council_resign(council);
}

static const struct jury_peers peers = { .ask = on_ask, .see = on_see, .behind = on_behind };

/* ---- what the others say ---- */

static void on_asked(void *data, const char *node, unsigned long number)
{
	struct daemon *daemon = data;

	juror_asked(&daemon->jury, node, number);
}

static void on_told(void *data, const char *node, unsigned long number, const struct vote *vote, size_t missing)
{
	struct daemon *daemon = data;

	jury_told(&daemon->jury, node, number, vote, missing);
}

static void on_live(void *data, const char *const *names, size_t count)
{
	struct daemon *daemon = data;

	jury_live(&daemon->jury, names, count);
}

const struct polls_events voting_polls = { .asked = on_asked, .told = on_told, .live = on_live };

/* ---- start and end ---- */

void voting_act(struct daemon *daemon)
{
	struct council *council = shift_council(daemon->shift);

	if (council != NULL)
		jury_act(&daemon->jury, council_term(council) != 0);
}

struct jury *voting_begin(struct daemon *daemon)
{
	if (daemon->config->monitors.etcd_count == 0)
		return NULL;
	if (daemon->jury.name == NULL)
		jury_init(&daemon->jury, daemon->config->monitors.name, &peers, daemon);
	return &daemon->jury;
}

void voting_end(struct daemon *daemon)
{
	jury_clear(&daemon->jury);
}
