#include "council/office.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "council/keys.h"
#include "loop/clock.h"

#define ASK_PARTS 4    /* a request may take this part of the lease's time */
#define TURN_PARTS 2   /* the monitor's loop may stand still for this part of the lease's time */
#define REVOKE_MS 1000 /* time to hand the lease back, which ends by itself if that fails */
#define SECOND_MS 1000

static char *key_of(const struct clerk *clerk, const char *place, const char *rest)
{
	return mem_printf("%s%s%s", clerk->prefix, place, rest);
}

static void say(struct clerk *clerk, enum missive_kind kind, const char *text)
{
	struct missive *missive = missive_new(kind);

	missive->text = mem_strdup(text);
	clerk->say(clerk->data, missive);
}

/* ---- handing the term back ---- */

static void start_lease(struct clerk *clerk);

static void on_revoked(void *data, bool gone)
{
	struct clerk *clerk = data;

	(void)gone; /* if the lease could not be handed back, it ends by itself */
	lease_free(&clerk->lease);
	ballot_has_lease(clerk->ballot, 0);
	election_has_none(clerk->election, "the term was handed back");
	reg_has_lease(clerk->reg, 0, clerk->ttl_ms);
	if (clerk->ends)
		uv_stop(&clerk->loop);
	else
		timer_start(clerk->again, SECOND_MS); /* another monitor can take the lead in that time */
}

static void hand_back(struct clerk *clerk)
{
	clerk->resigns = false;
	election_may(clerk->election, false);
	if (clerk->lease != NULL)
		lease_revoke(clerk->lease, REVOKE_MS, on_revoked, clerk);
	else if (clerk->ends)
		uv_stop(&clerk->loop);
}

static void read_estate(struct clerk *clerk, int64_t term);

/* Rereads the state or hands the term back, if that was asked for and the ledger has written all its commits. */
static void do_if_idle(struct clerk *clerk)
{
	const struct belief *belief = election_belief(clerk->election);

	if (ledger_is_busy(clerk->ledger))
		return;
	if (clerk->rereads && belief->term != 0 && clerk->reader == NULL)
		read_estate(clerk, belief->term);
	if (clerk->resigns)
		hand_back(clerk);
}

/* ---- whether etcd can be asked ---- */

static void take_words(struct clerk *clerk, enum away_side side, const char *words)
{
	if (away_take(&clerk->away, side, words))
		say(clerk, MISSIVE_STUCK, away_words(&clerk->away));
}

/* ---- the ledger ---- */

static void on_committed(void *data, unsigned long number)
{
	struct clerk *clerk = data;
	struct missive *missive = missive_new(MISSIVE_COMMITTED);

	missive->number = number;
	clerk->say(clerk->data, missive);
	do_if_idle(clerk);
}

static void on_refused(void *data, const char *why)
{
	struct clerk *clerk = data;

	log_warning("etcd has refused a commit: %s", why);
	say(clerk, MISSIVE_TERM_OVER, why);
	clerk->resigns = true; /* so that another monitor can act: this one's term can write no more */
	do_if_idle(clerk);
}

static void on_stuck(void *data, const char *why)
{
	struct clerk *clerk = data;

	take_words(clerk, AWAY_LEDGER, why);
}

/* ---- the election ---- */

/* Tells the council of the term, as it now knows all silences that etcd held when that began. */
static void on_fresh(void *data)
{
	struct clerk *clerk = data;
	struct missive *missive = clerk->coming;

	clerk->coming = NULL;
	if (missive != NULL)
		clerk->say(clerk->data, missive);
}

static void on_estate(void *data, struct estate *estate, const char *why)
{
	struct clerk *clerk = data;
	struct missive *missive;
	bool again = clerk->rereads;

	estate_reader_free(&clerk->reader);
	clerk->rereads = false;
	if (estate == NULL) {
		log_error("the state in etcd cannot be taken over, so this monitor starts no trigger: %s", why);
		take_words(clerk, AWAY_LEDGER, why);
		return;
	}
	estate->seeds = clerk->seeds;
	clerk->seeds = false;
	if (!again)
		ledger_begin(clerk->ledger, estate->term, estate->meta_revision, estate->meta);
	missive = missive_new(again ? MISSIVE_ESTATE : MISSIVE_TERM);
	missive->estate = estate;
	if (again) {
		clerk->say(clerk->data, missive);
	} else {
		missive_free(&clerk->coming);
		clerk->coming = missive;
		keeper_await(clerk->keeper, on_fresh, clerk);
	}
}

static void read_estate(struct clerk *clerk, int64_t term)
{
	estate_reader_free(&clerk->reader);
	clerk->reader = estate_read(clerk->client, clerk->prefix, term, clerk->ttl_ms / ASK_PARTS, on_estate, clerk);
}

static void on_began(void *data, int64_t term)
{
	struct clerk *clerk = data;

	clerk->rereads = false;
	keeper_act(clerk->keeper, true);
	read_estate(clerk, term);
}

static void on_gone(void *data, const char *why)
{
	struct clerk *clerk = data;

	estate_reader_free(&clerk->reader);
	missive_free(&clerk->coming);
	keeper_act(clerk->keeper, false);
	ledger_end(clerk->ledger);
	take_words(clerk, AWAY_LEDGER, NULL); /* a monitor that stands by commits nothing, and so lacks nothing for that */
	say(clerk, MISSIVE_TERM_OVER, why);
	do_if_idle(clerk);
}

static void on_strange(void *data, const char *words)
{
	char *text = mem_printf("%s: no monitor acts until \"plusmoin monitors seed\" is run where the state is right",
				words);

	log_error("%s", text);
	keeper_doubt(((struct clerk *)data)->keeper);
	say(data, MISSIVE_STRANGE, NULL);
	take_words(data, AWAY_STORE, text);
	free(text);
}

static void on_led(void *data, const char *value)
{
	say(data, MISSIVE_LED, value);
}

/* ---- silences ---- */

static void on_silences(void *data, const struct silences *silences)
{
	struct clerk *clerk = data;
	struct missive *missive = missive_new(MISSIVE_SILENCES);

	for (size_t i = 0; i < silences->count; i++)
		(void)silences_put(&missive->silences, &silences->items[i]);
	clerk->say(clerk->data, missive);
}

static void on_silenced(void *data, unsigned long number, const char *why)
{
	struct clerk *clerk = data;
	struct missive *missive = missive_new(MISSIVE_SILENCED);

	missive->number = number;
	missive->text = mem_strdup(why);
	clerk->say(clerk->data, missive);
}

static void on_strange_read(void *data, const char *words)
{
	struct clerk *clerk = data;

	election_doubt(clerk->election, words);
}

/* ---- who there is ---- */

static void on_roll(void *data, const char *list)
{
	say(data, MISSIVE_MONITORS, list);
}

static void on_lead_news(void *data, const struct feed_news *news)
{
	struct clerk *clerk = data;

	if (news->word != FEED_BROKEN)
		election_hint(clerk->election);
}

/* ---- our entry, our lease ---- */

static void on_in(void *data)
{
	struct clerk *clerk = data;

	say(clerk, MISSIVE_IN, NULL);
	election_may(clerk->election, !clerk->resigns && !clerk->ends);
}

static void on_taken(void *data, const char *value)
{
	say(data, MISSIVE_TAKEN, value);
}

static bool may_renew(void *data)
{
	const struct clerk *clerk = data;
	int64_t turned_ms = atomic_load_explicit(clerk->turned_ms, memory_order_relaxed);

	return (int64_t)(uv_hrtime() / 1000000) - turned_ms < clerk->ttl_ms / TURN_PARTS;
}

static void on_lease(void *data, const struct lease_news *news)
{
	struct clerk *clerk = data;

	switch (news->word) {
	case LEASE_GRANTED:
		clerk->ttl_ms = news->ttl_s * SECOND_MS;
		take_words(clerk, AWAY_LEASE, NULL);
		reg_has_lease(clerk->reg, news->id, clerk->ttl_ms);
		ballot_has_lease(clerk->ballot, news->id);
		election_has_lease(clerk->election, news->id, clerk->ttl_ms, news->sent_ms);
		return;
	case LEASE_RENEWED:
		take_words(clerk, AWAY_LEASE, NULL);
		election_has_lease(clerk->election, news->id, clerk->ttl_ms, news->sent_ms);
		return;
	case LEASE_FAILED:
		if (!belief_is_sure(election_belief(clerk->election), clock_steady_ms()))
			take_words(clerk, AWAY_LEASE, news->answer->words);
		return;
	case LEASE_GONE:
		election_may(clerk->election, false);
		election_has_none(clerk->election, "etcd has ended the lease");
		ballot_has_lease(clerk->ballot, 0);
		lease_free(&clerk->lease);
		start_lease(clerk);
		return;
	}
}

static void start_lease(struct clerk *clerk)
{
	clerk->lease = lease_start(clerk->client, clerk->ttl_ms / SECOND_MS, may_renew, on_lease, clerk);
}

void office_again(void *data)
{
	if (((struct clerk *)data)->lease == NULL && !((struct clerk *)data)->ends)
		start_lease(data);
}

/* ---- what the council says ---- */

static void take_silences(struct clerk *clerk, const struct missive *missive)
{
	if (missive->kind == MISSIVE_SILENCE)
		keeper_put(clerk->keeper, missive->number, &missive->silences.items[0], missive->flag);
	else
		keeper_seed(clerk->keeper, &missive->silences);
}

static void accept_store(struct clerk *clerk)
{
	clerk->seeds = true;
	take_words(clerk, AWAY_STORE, NULL);
	keeper_accept(clerk->keeper);
	election_accept(clerk->election);
}

void office_take(struct clerk *clerk, struct missive *missive)
{
	switch (missive->kind) {
	case MISSIVE_COMMIT:
		ledger_add(clerk->ledger, missive->commit);
		missive->commit = NULL;
		break;
	case MISSIVE_SAY:
		reg_say(clerk->reg, missive->text);
		break;
	case MISSIVE_PUT:
		ballot_put(clerk->ballot, missive->key, missive->text);
		break;
	case MISSIVE_SILENCE:
	case MISSIVE_SEED_SILENCES:
		take_silences(clerk, missive);
		break;
	case MISSIVE_END:
		clerk->ends = true;
		clerk->resigns = true;
		do_if_idle(clerk);
		break;
	case MISSIVE_SEED:
		accept_store(clerk);
		break;
	case MISSIVE_RESIGN:
		clerk->resigns = true;
		do_if_idle(clerk);
		break;
	case MISSIVE_REREAD:
		clerk->rereads = true;
		do_if_idle(clerk);
		break;
	case MISSIVE_TERM:
	case MISSIVE_ESTATE:
	case MISSIVE_TERM_OVER:
	case MISSIVE_COMMITTED:
	case MISSIVE_STUCK:
	case MISSIVE_STRANGE:
	case MISSIVE_LED:
	case MISSIVE_TAKEN:
	case MISSIVE_IN:
	case MISSIVE_MONITORS:
	case MISSIVE_SILENCES:
	case MISSIVE_SILENCED:
	case MISSIVE_NEWS:
		break; /* the clerk sends these itself */
	}
	missive_free(&missive);
}

/* ---- its life ---- */

static struct keeper *open_keeper(struct clerk *clerk)
{
	const struct keeper_events events = {
		.read = on_silences, .done = on_silenced, .strange = on_strange_read, .data = clerk,
	};

	return keeper_new(&(struct keeper_start){
		.client = clerk->client, .prefix = clerk->prefix, .ttl_ms = clerk->ttl_ms, .events = &events });
}

void office_open(struct clerk *clerk)
{
	char *lead = key_of(clerk, KEY_LEAD, "");
	char *entry = key_of(clerk, KEY_MONITORS, clerk->name);
	char *monitors = key_of(clerk, KEY_MONITORS, "");
	const struct election_events election_events = {
		.began = on_began, .gone = on_gone, .led = on_led, .strange = on_strange, .data = clerk,
	};
	const struct ledger_events ledger_events = {
		.committed = on_committed, .refused = on_refused, .stuck = on_stuck, .data = clerk,
	};
	const struct reg_events reg_events = { .in = on_in, .taken = on_taken, .data = clerk };

	clerk->election = election_new(&(struct election_start){ .client = clerk->client, .key = lead,
		.value = clerk->value, .sure = clerk->sure, .events = &election_events });
	clerk->ledger = ledger_new(&(struct ledger_start){ .client = clerk->client, .prefix = clerk->prefix,
		.writer = clerk->instance, .timeout_ms = clerk->ttl_ms / ASK_PARTS, .events = &ledger_events });
	clerk->reg = reg_new(&(struct reg_start){ .client = clerk->client, .key = entry, .instance = clerk->instance,
		.host = clerk->host, .events = &reg_events });
	reg_say(clerk->reg, clerk->value);
	clerk->ballot = ballot_new(&(struct ballot_start){ .client = clerk->client, .prefix = clerk->prefix,
		.timeout_ms = clerk->ttl_ms / ASK_PARTS, .say = clerk->say, .data = clerk->data });
	clerk->keeper = open_keeper(clerk);
	clerk->lead_feed = feed_start(clerk->client, lead, 0, clerk->ttl_ms / TURN_PARTS, on_lead_news, clerk);
	clerk->roll = roll_new(clerk->client, monitors, clerk->ttl_ms, on_roll, clerk);
	start_lease(clerk);
	free(lead);
	free(entry);
	free(monitors);
}

void office_close(struct clerk *clerk)
{
	feed_free(&clerk->lead_feed);
	roll_free(&clerk->roll);
	estate_reader_free(&clerk->reader);
	ledger_free(&clerk->ledger);
	missive_free(&clerk->coming);
	ballot_free(&clerk->ballot);
	keeper_free(&clerk->keeper);
	election_free(&clerk->election);
	reg_free(&clerk->reg);
	lease_free(&clerk->lease);
}
