#include "council/ballot.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "council/keys.h"
#include "etcd/feed.h"
#include "loop/timer.h"

#define AT_ONCE 100    /* keys in one transaction: etcd takes 128 operations */
#define WAITING 20000  /* keys that wait at most: the oldest are dropped then, as their questions are over */
#define AGAIN_MS 100   /* after a request that failed */
#define READ_MS 1000   /* votes are also read so often: the feed tells nothing while its member of etcd is stopped */
#define READS 15       /* so many such reads follow our last question */

struct put {
	char *key;
	char *text; /* NULL: the key is deleted */
};

struct ballot {
	struct client *client;
	char *prefix;
	int64_t timeout_ms;
	int64_t lease; /* 0: none yet */
	void (*say)(void *data, struct missive *missive);
	void *data;
	struct list waiting; /* struct put *, the oldest first */
	size_t sent;         /* how many of the first ones are in the transaction under way */
	struct client_call *call; /* that transaction; NULL: none */
	struct timer *again;
	struct feed *asks;   /* of KEY_ASK */
	struct feed *sights; /* of KEY_SEE */
	struct client_call *read; /* of KEY_SEE, under way; NULL: none */
	struct timer *next_read;
	int reads; /* how many are still to be made */
};

static void free_put(struct put *put)
{
	free(put->key);
	free(put->text);
	free(put);
}

static void drop(struct ballot *ballot, size_t count)
{
	while (count-- > 0)
		free_put(list_shift(&ballot->waiting));
}

/* ---- what is written ---- */

static void send_some(struct ballot *ballot);

static void on_again(void *data)
{
	send_some(data);
}

static void on_answer(void *data, struct answer *answer)
{
	struct ballot *ballot = data;

	ballot->call = NULL;
	if (answer->outcome == ETCD_DONE) {
		drop(ballot, ballot->sent);
		ballot->sent = 0;
		send_some(ballot);
	} else {
		ballot->sent = 0;
		timer_start(ballot->again, AGAIN_MS);
	}
}

/* Whether one of the first `count` puts has this key. etcd refuses a transaction that changes a key twice. */
static bool has_key(const struct ballot *ballot, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(((const struct put *)ballot->waiting.items[i])->key, key) == 0)
			return true;
	}
	return false;
}

static void add(const struct ballot *ballot, struct body *body, const struct put *put)
{
	if (put->text != NULL)
		body_put(body, BODY_SUCCESS, put->key, put->text, strlen(put->text), ballot->lease);
	else
		body_delete(body, BODY_SUCCESS, put->key, false);
}

static void send_some(struct ballot *ballot)
{
	struct body body;

	if (ballot->call != NULL || ballot->lease == 0 || ballot->waiting.count == 0)
		return;
	body_txn(&body);
	for (size_t i = 0; i < ballot->waiting.count && i < AT_ONCE; i++) {
		const struct put *put = ballot->waiting.items[i];

		if (has_key(ballot, i, put->key))
			break;
		add(ballot, &body, put);
		ballot->sent = i + 1;
	}
	ballot->call = client_ask(ballot->client, &body, ballot->timeout_ms, on_answer, ballot);
	body_free(&body);
}

/* Has the votes read for a while, since we have asked a question. */
static void read_on(struct ballot *ballot)
{
	ballot->reads = READS;
	if (ballot->read == NULL && !timer_is_set(ballot->next_read))
		timer_start(ballot->next_read, READ_MS);
}

void ballot_put(struct ballot *ballot, const char *key, const char *text)
{
	struct put *put = mem_zalloc(1, sizeof(*put));

	put->key = mem_printf("%s%s", ballot->prefix, key);
	put->text = mem_strdup(text);
	if (text != NULL && strncmp(key, KEY_ASK, strlen(KEY_ASK)) == 0)
		read_on(ballot);
	if (ballot->waiting.count >= WAITING)
		free_put(list_remove_at(&ballot->waiting, ballot->sent)); /* the oldest one that is not under way */
	list_add(&ballot->waiting, put);
	if (!timer_is_set(ballot->again))
		timer_start(ballot->again, 0); /* at the end of the loop's turn, together with what else is put in it */
}

void ballot_has_lease(struct ballot *ballot, int64_t lease)
{
	ballot->lease = lease;
	send_some(ballot);
}

/* ---- what others write ---- */

static void tell(const struct ballot *ballot, const struct etcd_pair *pair, bool deleted)
{
	struct missive *missive;

	if (strncmp(pair->key, ballot->prefix, strlen(ballot->prefix)) != 0)
		return;
	missive = missive_new(MISSIVE_NEWS);
	missive->key = mem_strdup(pair->key + strlen(ballot->prefix));
	if (!deleted)
		missive->text = mem_strndup(pair->value, pair->value_len);
	ballot->say(ballot->data, missive);
}

static void on_news(void *data, const struct feed_news *news)
{
	for (size_t i = 0; i < news->event_count; i++)
		tell(data, &news->events[i].pair, news->events[i].deleted);
}

static void on_read(void *data, struct answer *answer)
{
	struct ballot *ballot = data;

	ballot->read = NULL;
	for (size_t i = 0; answer->outcome == ETCD_DONE && i < answer->pairs.count; i++)
		tell(ballot, &answer->pairs.items[i], false);
	if (--ballot->reads > 0)
		timer_start(ballot->next_read, READ_MS);
}

static void on_next_read(void *data)
{
	struct ballot *ballot = data;
	char *key = mem_printf("%s" KEY_SEE, ballot->prefix);
	const struct body_range range = { .key = key, .prefix = true };
	struct body body;

	body_range(&body, &range);
	ballot->read = client_ask(ballot->client, &body, ballot->timeout_ms, on_read, ballot);
	body_free(&body);
	free(key);
}

static struct feed *follow(struct ballot *ballot, const char *place)
{
	char *key = mem_printf("%s%s", ballot->prefix, place);
	struct feed *feed = feed_start(ballot->client, key, 0, ballot->timeout_ms * 2, on_news, ballot);

	free(key);
	return feed;
}

struct ballot *ballot_new(const struct ballot_start *start)
{
	struct ballot *ballot = mem_zalloc(1, sizeof(*ballot));

	ballot->client = start->client;
	ballot->prefix = mem_strdup(start->prefix);
	ballot->timeout_ms = start->timeout_ms;
	ballot->say = start->say;
	ballot->data = start->data;
	ballot->again = timer_new(client_loop(start->client), on_again, ballot);
	ballot->next_read = timer_new(client_loop(start->client), on_next_read, ballot);
	ballot->asks = follow(ballot, KEY_ASK);
	ballot->sights = follow(ballot, KEY_SEE);
	return ballot;
}

void ballot_free(struct ballot **ballot_p)
{
	struct ballot *ballot = *ballot_p;

	*ballot_p = NULL;
	if (ballot == NULL)
		return;
	client_cancel(&ballot->call);
	client_cancel(&ballot->read);
	feed_free(&ballot->asks);
	feed_free(&ballot->sights);
	timer_free(&ballot->again);
	timer_free(&ballot->next_read);
	drop(ballot, ballot->waiting.count);
	list_free(&ballot->waiting);
	free(ballot->prefix);
	free(ballot);
}
