#include "etcd/barrier.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "loop/timer.h"

#define FIRST_PAUSE_MS 50
#define LONGEST_PAUSE_MS 1000

struct barrier {
	struct client *client;
	struct body body; /* the transaction, the same at each try */
	char *value;
	size_t value_len;
	int64_t timeout_ms;
	int64_t pause_ms;
	struct client_call *call;
	struct timer *again;
	void (*done)(void *data, const struct barrier_result *result);
	void (*failed)(void *data, const struct answer *answer);
	void *data;
};

/* Whether the key holds what we put: this try won, or an earlier one whose answer was lost. */
static bool is_ours(const struct barrier *barrier, const struct etcd_pair *pair)
{
	return pair != NULL && pair->value_len == barrier->value_len &&
	       memcmp(pair->value, barrier->value, pair->value_len) == 0;
}

/* Tells what the key holds. Both branches end with a get of it; that of the first shows our own put. */
static void tell_standing(struct barrier *barrier, const struct answer *answer)
{
	const struct etcd_pairs *pairs = &answer->parts[answer->part_count - 1].pairs;
	struct barrier_result result = { .end = BARRIER_LOST, .answer = answer };

	if (pairs->count > 0) {
		result.pair = &pairs->items[0];
		result.mod_revision = result.pair->mod_revision;
	}
	if (is_ours(barrier, result.pair))
		result.end = BARRIER_WON;
	barrier->done(barrier->data, &result);
}

static void on_answer(void *data, struct answer *answer)
{
	struct barrier *barrier = data;

	barrier->call = NULL;
	if ((answer->outcome == ETCD_DONE || answer->outcome == ETCD_DIFFERS) && answer->part_count > 0) {
		tell_standing(barrier, answer);
		return;
	}
	timer_start(barrier->again, barrier->pause_ms);
	barrier->pause_ms = barrier->pause_ms * 2 < LONGEST_PAUSE_MS ? barrier->pause_ms * 2 : LONGEST_PAUSE_MS;
	if (barrier->failed != NULL)
		barrier->failed(barrier->data, answer);
}

static void on_again(void *data)
{
	struct barrier *barrier = data;

	barrier->call = client_ask(barrier->client, &barrier->body, barrier->timeout_ms, on_answer, barrier);
}

static void write_body(struct body *body, const struct barrier_order *order)
{
	body_txn(body);
	body_compare(body, order->key, BODY_MOD_REVISION, BODY_EQUAL, order->mod_revision);
	if (order->term_key != NULL)
		body_compare(body, order->term_key, BODY_CREATE_REVISION, BODY_EQUAL, order->term);
	body_put(body, BODY_SUCCESS, order->key, order->value, order->value_len, order->lease);
	body_get(body, BODY_SUCCESS, order->key, false);
	body_get(body, BODY_FAILURE, order->key, false);
}

struct barrier *barrier_start(struct client *client, const struct barrier_order *order,
			      void (*done)(void *data, const struct barrier_result *result),
			      void (*failed)(void *data, const struct answer *answer), void *data)
{
	struct barrier *barrier = mem_zalloc(1, sizeof(*barrier));

	barrier->client = client;
	write_body(&barrier->body, order);
	barrier->value = mem_strndup(order->value, order->value_len);
	barrier->value_len = order->value_len;
	barrier->timeout_ms = order->timeout_ms;
	barrier->pause_ms = FIRST_PAUSE_MS;
	barrier->done = done;
	barrier->failed = failed;
	barrier->data = data;
	barrier->again = timer_new(client_loop(client), on_again, barrier);
	on_again(barrier);
	return barrier;
}

void barrier_free(struct barrier **barrier_p)
{
	struct barrier *barrier = *barrier_p;

	*barrier_p = NULL;
	if (barrier == NULL)
		return;
	client_cancel(&barrier->call);
	timer_free(&barrier->again);
	body_free(&barrier->body);
	free(barrier->value);
	free(barrier);
}
