#include "council/election.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "loop/clock.h"
#include "loop/timer.h"

#define READS 3         /* reads of `lead` in the lease's time */
#define ASK_PARTS 4     /* a request may take this part of the lease's time */
#define STALE_PARTS 3   /* after this many leases' time a member that lags has caught up, or is not asked any more */
#define AGAIN_MS 50     /* after a request that etcd did not carry out, or that another look followed */

struct election {
	struct client *client;
	char *key;
	char *value;
	struct sure *sure;
	struct election_events events;
	struct belief belief;
	int64_t lease; /* 0: none */
	int64_t ttl_ms;
	bool may;      /* campaign (election_may()) */
	bool hinted;   /* look() was called while `call` was under way */
	struct client_call *call; /* the campaign or read under way; NULL: none */
	int64_t call_lease;       /* with which `call` campaigns; 0: it is a read */
	struct timer *next;       /* until the next look() */
	char *leader; /* the value of `lead` that was told last; NULL: nobody leads */
	uint64_t store; /* etcd's cluster id; 0: not seen yet */
	int64_t revision; /* the highest revision of etcd that was seen */
	int64_t stale_ms; /* steady: since when all answers are of an old raft term; 0: they are not */
	bool is_strange; /* the store is not the one it was */
};

static void on_next(void *data);

static void tell_sure(struct election *election)
{
	atomic_store(&election->sure->term, election->belief.term);
	atomic_store(&election->sure->ms, election->belief.term != 0 ? election->belief.sure_ms : 0);
}

static void set_next(struct election *election, int64_t ms)
{
	timer_start(election->next, ms);
}

static int64_t part_ms(const struct election *election, int parts)
{
	return election->ttl_ms > 0 ? election->ttl_ms / parts : 1000;
}

static void tell_leader(struct election *election, const char *value)
{
	if (text_same(election->leader, value))
		return;
	free(election->leader);
	election->leader = mem_strdup(value);
	election->events.led(election->events.data, value);
}

static void end_term(struct election *election, const char *why)
{
	election->belief = (struct belief){ .ttl_ms = election->ttl_ms };
	tell_sure(election);
	election->events.gone(election->events.data, why);
}

/* Takes what the key holds (NULL: it is not there), by the answer to a request that was sent at `sent_ms`. */
static void take_key(struct election *election, const struct etcd_pair *pair, int64_t sent_ms)
{
	int64_t now_ms = clock_steady_ms();
	bool is_ours = pair != NULL && election->lease != 0 && pair->lease == election->lease;

	if (election->belief.term == 0 && is_ours) { /* we won just now, or by a campaign whose answer was lost */
		belief_begin(&election->belief, pair->create_revision, election->ttl_ms, sent_ms);
		tell_sure(election);
		tell_leader(election, NULL);
		election->events.began(election->events.data, pair->create_revision);
		return;
	}
	if (!belief_read(&election->belief, is_ours ? pair->create_revision : 0, sent_ms, now_ms))
		end_term(election, pair != NULL ? "another monitor acts" : "the lease was lost, and nobody acts");
	tell_sure(election);
	if (!is_ours)
		tell_leader(election, pair != NULL ? pair->value : NULL);
}

static void look(struct election *election);

/* The pair that a campaign which found the key taken has read, or that a read has; NULL: the key is not there. */
static const struct etcd_pair *pair_of(const struct answer *answer)
{
	if (answer->outcome == ETCD_DIFFERS)
		return answer->part_count > 0 && answer->parts[0].pairs.count > 0 ? &answer->parts[0].pairs.items[0] : NULL;
	return answer->pairs.count > 0 ? &answer->pairs.items[0] : NULL;
}

/*
 * Whether answers have long been of an old raft term. A member that lags gives some; when that lasts, the store has
 * changed.
 */
static bool is_stale_for_long(struct election *election, const struct answer *answer)
{
	int64_t now_ms = clock_steady_ms();

	if (answer->reason != ETCD_REASON_STALE)
		return false;
	if (election->stale_ms == 0)
		election->stale_ms = now_ms;
	return now_ms - election->stale_ms > STALE_PARTS * election->ttl_ms;
}

void election_doubt(struct election *election, const char *words)
{
	if (election->is_strange)
		return;
	election->is_strange = true;
	if (election->belief.term != 0)
		end_term(election, words);
	election->events.strange(election->events.data, words);
}

/*
 * Whether the store is the one it was, as far as this answer tells. The revision of one and the same store never falls,
 * since all requests of this file go through etcd's majority, one after another.
 */
static bool is_known(struct election *election, const struct answer *answer)
{
	const struct etcd_header *header = &answer->header;
	bool is_answer = answer->outcome == ETCD_DONE || answer->outcome == ETCD_DIFFERS;
	char *words = NULL;

	if (is_answer)
		election->stale_ms = 0;
	else if (!is_stale_for_long(election, answer))
		return !election->is_strange;
	if (!is_answer)
		words = mem_strdup("etcd's raft term has fallen: it was wiped, or restored from a backup");
	else if (election->store != 0 && header->cluster_id != election->store)
		words = mem_strdup("etcd is another cluster than before");
	else if (header->revision < election->revision)
		words = mem_printf("etcd's revision has fallen from %" PRId64 " to %" PRId64 ": it was restored from a backup",
				   election->revision, header->revision);
	if (words == NULL) {
		election->store = header->cluster_id;
		election->revision = header->revision;
		return true;
	}
	election_doubt(election, words);
	free(words);
	return false;
}

void election_accept(struct election *election)
{
	election->is_strange = false;
	election->store = 0;
	election->revision = 0;
	election->stale_ms = 0;
	look(election);
}

static void on_answer(void *data, struct answer *answer)
{
	struct election *election = data;
	bool was_campaign = election->call_lease != 0;
	struct etcd_pair won = { .value = election->value, .create_revision = answer->header.revision,
				 .lease = election->call_lease };
	bool again = election->hinted;

	election->call = NULL;
	election->hinted = false;
	if (!is_known(election, answer)) {
		set_next(election, part_ms(election, READS));
		return;
	}
	if (answer->outcome == ETCD_DONE && was_campaign)
		take_key(election, &won, answer->sent_ms);
	else if (answer->outcome == ETCD_DONE || answer->outcome == ETCD_DIFFERS)
		take_key(election, pair_of(answer), answer->sent_ms);
	else
		again = true;
	if (answer->outcome == ETCD_DONE && !was_campaign && answer->pairs.count == 0 && election->lease != 0 && election->may)
		look(election); /* campaigns, as nobody leads */
	else
		set_next(election, again ? AGAIN_MS : part_ms(election, READS));
}

static void campaign(struct election *election)
{
	struct body body;

	body_txn(&body);
	body_compare(&body, election->key, BODY_CREATE_REVISION, BODY_EQUAL, 0);
	body_put(&body, BODY_SUCCESS, election->key, election->value, strlen(election->value), election->lease);
	body_get(&body, BODY_FAILURE, election->key, false);
	election->call_lease = election->lease;
	election->call = client_ask(election->client, &body, part_ms(election, ASK_PARTS), on_answer, election);
	body_free(&body);
}

static void read_key(struct election *election)
{
	const struct body_range range = { .key = election->key };
	struct body body;

	body_range(&body, &range);
	election->call_lease = 0;
	election->call = client_ask(election->client, &body, part_ms(election, ASK_PARTS), on_answer, election);
	body_free(&body);
}

/*
 * Campaigns if we may and do not lead; else reads the key. A call while a request is under way has another one follow
 * it.
 */
static void look(struct election *election)
{
	if (election->call != NULL) {
		election->hinted = true;
		return;
	}
	timer_stop(election->next);
	if (election->lease != 0 && election->may && !election->is_strange && election->belief.term == 0)
		campaign(election);
	else
		read_key(election);
}

static void on_next(void *data)
{
	look(data);
}

void election_has_lease(struct election *election, int64_t lease, int64_t ttl_ms, int64_t sent_ms)
{
	bool is_new = lease != election->lease;

	election->lease = lease;
	election->ttl_ms = ttl_ms;
	election->belief.ttl_ms = ttl_ms;
	if (is_new || belief_renewed(&election->belief, sent_ms, clock_steady_ms()))
		look(election);
	tell_sure(election);
}

void election_has_none(struct election *election, const char *why)
{
	election->lease = 0;
	if (election->belief.term != 0)
		end_term(election, why);
	look(election);
}

void election_hint(struct election *election)
{
	look(election);
}

void election_may(struct election *election, bool may)
{
	bool begins = may && !election->may;

	election->may = may;
	if (begins)
		look(election);
}

const struct belief *election_belief(const struct election *election)
{
	return &election->belief;
}

struct election *election_new(const struct election_start *start)
{
	struct election *election = mem_zalloc(1, sizeof(*election));

	election->client = start->client;
	election->key = mem_strdup(start->key);
	election->value = mem_strdup(start->value);
	election->sure = start->sure;
	election->events = *start->events;
	election->may = true;
	election->next = timer_new(client_loop(start->client), on_next, election);
	return election;
}

void election_free(struct election **election_p)
{
	struct election *election = *election_p;

	*election_p = NULL;
	if (election == NULL)
		return;
	client_cancel(&election->call);
	timer_free(&election->next);
	free(election->key);
	free(election->value);
	free(election->leader);
	free(election);
}
