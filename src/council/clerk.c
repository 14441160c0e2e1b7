#include "council/clerk.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "council/election.h"
#include "council/ledger.h"
#include "council/places.h"
#include "council/reg.h"
#include "etcd/feed.h"
#include "etcd/lease.h"
#include "loop/clock.h"
#include "loop/timer.h"
#include "script/mailbox.h"
#include "system/thread.h"

#define ASK_PARTS 4      /* of the lease's time a request may take one part */
#define TURN_PARTS 2     /* the monitor's loop may stand still for such a part of it */
#define REVOKE_MS 1000   /* at the end the lease is handed back within that, or ends by itself */
#define SECOND_MS 1000

struct clerk {
	uv_loop_t loop;
	pthread_t thread;
	struct mailbox *mailbox;
	struct client *client;
	char *prefix;
	char *name;
	char *instance;
	char *host;
	char *value;
	int64_t ttl_ms;
	const atomic_llong *turned_ms;
	atomic_llong *sure_ms;
	void (*say)(void *data, struct word *word);
	void *data;
	struct lease *lease;
	struct reg *reg;
	struct election *election;
	struct ledger *ledger;
	struct estate_reader *reader;
	struct feed *lead_feed;
	struct feed *monitors_feed;
	struct client_call *roll; /* reads who there is */
	struct timer *again;      /* to ask for another lease */
	char *lease_words;        /* why the lease is not renewed; NULL: it is */
	char *ledger_words;       /* why nothing is committed; NULL: it is, or nothing waits */
	char *told_words;         /* what was said of both last */
	bool rereads;             /* the state is asked for, when the ledger has written what waits */
	bool resigns;             /* the same with the term: it is handed back */
	bool ends;
};

static char *key_of(const struct clerk *clerk, const char *place, const char *rest)
{
	return mem_printf("%s%s%s", clerk->prefix, place, rest);
}

static void say(struct clerk *clerk, enum word_kind kind, const char *text)
{
	struct word *word = word_new(kind);

	word->text = mem_strdup(text);
	clerk->say(clerk->data, word);
}

/* ---- the end of a term of our own will ---- */

static void start_lease(struct clerk *clerk);

static void on_revoked(void *data, bool gone)
{
	struct clerk *clerk = data;

	(void)gone; /* else it ends by itself */
	lease_free(&clerk->lease);
	election_has_none(clerk->election, "the term was handed back");
	reg_has_lease(clerk->reg, 0, clerk->ttl_ms);
	if (clerk->ends)
		uv_stop(&clerk->loop);
	else
		timer_start(clerk->again, SECOND_MS); /* others take it up meanwhile */
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

/* What waits for the ledger to have written all that was given to it. */
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

static void say_away(struct clerk *clerk)
{
	const char *words = clerk->ledger_words != NULL ? clerk->ledger_words : clerk->lease_words;

	if ((words == NULL) == (clerk->told_words == NULL))
		return;
	free(clerk->told_words);
	clerk->told_words = mem_strdup(words);
	say(clerk, WORD_STUCK, words);
}

static void take_words(struct clerk *clerk, char **to, const char *words)
{
	free(*to);
	*to = mem_strdup(words);
	say_away(clerk);
}

/* ---- the ledger ---- */

static void on_committed(void *data, unsigned long number)
{
	struct clerk *clerk = data;
	struct word *word = word_new(WORD_COMMITTED);

	word->number = number;
	clerk->say(clerk->data, word);
	do_if_idle(clerk);
}

static void on_refused(void *data, const char *why)
{
	struct clerk *clerk = data;

	log_warning("etcd has refused a commit: %s", why);
	election_hint(clerk->election);
	say(clerk, WORD_TERM_OVER, why);
	do_if_idle(clerk);
}

static void on_stuck(void *data, const char *why)
{
	struct clerk *clerk = data;

	take_words(clerk, &clerk->ledger_words, why);
}

/* ---- the election ---- */

static void on_estate(void *data, struct estate *estate, const char *why)
{
	struct clerk *clerk = data;
	struct word *word;
	bool again = clerk->rereads;

	estate_reader_free(&clerk->reader);
	clerk->rereads = false;
	if (estate == NULL) {
		log_error("the state in etcd cannot be taken, and this monitor runs nothing: %s", why);
		take_words(clerk, &clerk->ledger_words, why);
		return;
	}
	if (!again)
		ledger_begin(clerk->ledger, estate->term, estate->meta_revision, estate->meta);
	word = word_new(again ? WORD_ESTATE : WORD_TERM);
	word->estate = estate;
	clerk->say(clerk->data, word);
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
	read_estate(clerk, term);
}

static void on_gone(void *data, const char *why)
{
	struct clerk *clerk = data;

	estate_reader_free(&clerk->reader);
	ledger_end(clerk->ledger);
	say(clerk, WORD_TERM_OVER, why);
	do_if_idle(clerk);
}

static void on_led(void *data, const char *value)
{
	say(data, WORD_LED, value);
}

/* ---- who there is ---- */

static void on_roll(void *data, struct answer *answer)
{
	struct clerk *clerk = data;
	struct buf text = { 0 };

	clerk->roll = NULL;
	if (answer->outcome != ETCD_DONE)
		return;
	buf_add_char(&text, '[');
	for (size_t i = 0; i < answer->pairs.count; i++) {
		buf_add_str(&text, i > 0 ? "," : "");
		buf_add(&text, answer->pairs.items[i].value, answer->pairs.items[i].value_len);
	}
	buf_add_char(&text, ']');
	say(clerk, WORD_MONITORS, buf_text(&text));
	buf_free(&text);
}

static void read_roll(struct clerk *clerk)
{
	char *key = key_of(clerk, PLACE_MONITORS, "");
	const struct body_range range = { .key = key, .prefix = true };
	struct body body;

	if (clerk->roll == NULL) {
		body_range(&body, &range);
		clerk->roll = client_ask(clerk->client, &body, clerk->ttl_ms / ASK_PARTS, on_roll, clerk);
		body_free(&body);
	}
	free(key);
}

static void on_monitors_news(void *data, const struct feed_news *news)
{
	if (news->word != FEED_BROKEN)
		read_roll(data);
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

	say(clerk, WORD_IN, NULL);
	election_may(clerk->election, !clerk->resigns && !clerk->ends);
}

static void on_taken(void *data, const char *value)
{
	say(data, WORD_TAKEN, value);
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
		take_words(clerk, &clerk->lease_words, NULL);
		reg_has_lease(clerk->reg, news->id, clerk->ttl_ms);
		election_has_lease(clerk->election, news->id, clerk->ttl_ms, news->sent_ms);
		return;
	case LEASE_RENEWED:
		take_words(clerk, &clerk->lease_words, NULL);
		election_has_lease(clerk->election, news->id, clerk->ttl_ms, news->sent_ms);
		return;
	case LEASE_FAILED:
		if (!belief_is_sure(election_belief(clerk->election), clock_steady_ms()))
			take_words(clerk, &clerk->lease_words, news->answer->words);
		return;
	case LEASE_GONE:
		election_may(clerk->election, false);
		election_has_none(clerk->election, "etcd has ended the lease");
		lease_free(&clerk->lease);
		start_lease(clerk);
		return;
	}
}

static void start_lease(struct clerk *clerk)
{
	clerk->lease = lease_start(clerk->client, clerk->ttl_ms / SECOND_MS, may_renew, on_lease, clerk);
}

static void on_again(void *data)
{
	struct clerk *clerk = data;

	if (clerk->lease == NULL && !clerk->ends)
		start_lease(clerk);
}

/* ---- what the council says ---- */

static void on_word(void *data, void *message)
{
	struct clerk *clerk = data;
	struct word *word = message;

	switch (word->kind) {
	case WORD_COMMIT:
		ledger_add(clerk->ledger, word->commit);
		word->commit = NULL;
		break;
	case WORD_SAY:
		reg_say(clerk->reg, word->text);
		break;
	case WORD_END:
		clerk->ends = true;
		clerk->resigns = true;
		do_if_idle(clerk);
		break;
	case WORD_RESIGN:
		clerk->resigns = true;
		do_if_idle(clerk);
		break;
	case WORD_REREAD:
		clerk->rereads = true;
		do_if_idle(clerk);
		break;
	case WORD_TERM:
	case WORD_ESTATE:
	case WORD_TERM_OVER:
	case WORD_COMMITTED:
	case WORD_STUCK:
	case WORD_LED:
	case WORD_TAKEN:
	case WORD_IN:
	case WORD_MONITORS:
		break; /* the clerk's own */
	}
	word_free(&word);
}

void clerk_tell(struct clerk *clerk, struct word *word)
{
	mailbox_send(clerk->mailbox, word);
}

/* ---- its life ---- */

static void drop_word(void *message)
{
	struct word *word = message;

	word_free(&word);
}

static void open_parts(struct clerk *clerk)
{
	char *lead = key_of(clerk, PLACE_LEAD, "");
	char *entry = key_of(clerk, PLACE_MONITORS, clerk->name);
	char *monitors = key_of(clerk, PLACE_MONITORS, "");
	const struct election_events election_events = {
		.began = on_began, .gone = on_gone, .led = on_led, .data = clerk,
	};
	const struct ledger_events ledger_events = {
		.committed = on_committed, .refused = on_refused, .stuck = on_stuck, .data = clerk,
	};
	const struct reg_events reg_events = { .in = on_in, .taken = on_taken, .data = clerk };

	clerk->election = election_new(&(struct election_start){ .client = clerk->client, .key = lead,
		.value = clerk->value, .sure_ms = clerk->sure_ms, .events = &election_events });
	clerk->ledger = ledger_new(&(struct ledger_start){ .client = clerk->client, .prefix = clerk->prefix,
		.writer = clerk->instance, .timeout_ms = clerk->ttl_ms / ASK_PARTS, .events = &ledger_events });
	clerk->reg = reg_new(&(struct reg_start){ .client = clerk->client, .key = entry, .instance = clerk->instance,
		.host = clerk->host, .events = &reg_events });
	reg_say(clerk->reg, clerk->value);
	clerk->lead_feed = feed_start(clerk->client, lead, 0, clerk->ttl_ms / TURN_PARTS, on_lead_news, clerk);
	clerk->monitors_feed = feed_start(clerk->client, monitors, 0, clerk->ttl_ms / TURN_PARTS, on_monitors_news, clerk);
	free(lead);
	free(entry);
	free(monitors);
}

static void close_parts(struct clerk *clerk)
{
	client_cancel(&clerk->roll);
	feed_free(&clerk->lead_feed);
	feed_free(&clerk->monitors_feed);
	estate_reader_free(&clerk->reader);
	ledger_free(&clerk->ledger);
	election_free(&clerk->election);
	reg_free(&clerk->reg);
	lease_free(&clerk->lease);
	client_free(&clerk->client);
	timer_free(&clerk->again);
	mailbox_free(&clerk->mailbox, drop_word);
	(void)uv_run(&clerk->loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&clerk->loop);
}

static void *run(void *data)
{
	struct clerk *clerk = data;

	(void)pthread_setname_np(pthread_self(), "clerk");
	open_parts(clerk);
	start_lease(clerk);
	(void)uv_run(&clerk->loop, UV_RUN_DEFAULT);
	close_parts(clerk);
	return NULL;
}

static void forget(struct clerk *clerk)
{
	free(clerk->prefix);
	free(clerk->name);
	free(clerk->instance);
	free(clerk->host);
	free(clerk->value);
	free(clerk->lease_words);
	free(clerk->ledger_words);
	free(clerk->told_words);
	free(clerk);
}

struct clerk *clerk_new(const struct clerk_start *start)
{
	struct clerk *clerk = mem_zalloc(1, sizeof(*clerk));

	clerk->prefix = mem_strdup(start->prefix);
	clerk->name = mem_strdup(start->name);
	clerk->instance = mem_strdup(start->instance);
	clerk->host = mem_strdup(start->host);
	clerk->value = mem_strdup(start->value);
	clerk->ttl_ms = start->ttl_s * SECOND_MS;
	clerk->turned_ms = start->turned_ms;
	clerk->sure_ms = start->sure_ms;
	clerk->say = start->say;
	clerk->data = start->data;
	if (uv_loop_init(&clerk->loop) != 0) {
		forget(clerk);
		return NULL;
	}
	clerk->mailbox = mailbox_new(&clerk->loop, on_word, clerk);
	clerk->client = client_new(&clerk->loop, &start->etcd);
	clerk->again = timer_new(&clerk->loop, on_again, clerk);
	if (thread_start(&clerk->thread, run, clerk) == 0)
		return clerk;
	client_free(&clerk->client);
	timer_free(&clerk->again);
	mailbox_free(&clerk->mailbox, drop_word);
	(void)uv_run(&clerk->loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&clerk->loop);
	forget(clerk);
	return NULL;
}

bool clerk_free(struct clerk **clerk_p, int64_t ms)
{
	struct clerk *clerk = *clerk_p;
	struct timespec end;

	*clerk_p = NULL;
	if (clerk == NULL)
		return true;
	(void)clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += ms / SECOND_MS;
	end.tv_nsec += ms % SECOND_MS * 1000000;
	end.tv_sec += end.tv_nsec / 1000000000;
	end.tv_nsec %= 1000000000;
	if (pthread_timedjoin_np(clerk->thread, NULL, &end) != 0)
		return false;
	forget(clerk);
	return true;
}
