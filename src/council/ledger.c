#include "council/ledger.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "core/saved_keys.h"
#include "council/keys.h"
#include "etcd/barrier.h"
#include "loop/timer.h"

#define AGAIN_MS 100     /* after a transaction that etcd did not carry out */
#define OPERATIONS 120   /* puts in one transaction; the rest of BODY_OPERATIONS_MOST is for the meta and a reserve */

struct ledger {
	struct client *client;
	char *prefix;
	char *writer;
	char *lead_key;
	char *meta_key;
	int64_t timeout_ms;
	struct ledger_events events;
	int64_t term;          /* 0: there is none */
	int64_t meta_revision; /* the mod_revision of `state/meta`, as far as we know */
	char *meta;            /* the value of `state/meta`, as far as we know, without its writer and number */
	struct list waiting;   /* struct commit * */
	size_t sent;           /* how many of the first ones are in the transaction under way, or of unknown outcome */
	unsigned long last;    /* the number of the last commit in that transaction */
	struct client_call *call; /* that transaction under way; NULL: none */
	struct barrier *barrier; /* while the outcome of what was sent is unknown */
	struct timer *again;
	bool is_stuck;
};

static void go_on(struct ledger *ledger);

static char *key_of(const struct ledger *ledger, const char *key)
{
	return mem_printf("%s%s", ledger->prefix, key);
}

/* ---- bodies ---- */

static void begin_body(const struct ledger *ledger, struct body *body)
{
	body_txn(body);
	body_compare(body, ledger->lead_key, BODY_CREATE_REVISION, BODY_EQUAL, ledger->term);
	body_compare(body, ledger->meta_key, BODY_MOD_REVISION, BODY_EQUAL, ledger->meta_revision);
	body_get(body, BODY_FAILURE, ledger->lead_key, false);
	body_get(body, BODY_FAILURE, ledger->meta_key, false);
}

/* The value of `state/meta` for a transaction: `meta` with this writer, and the number of its last commit. */
static char *meta_with_writer(const struct ledger *ledger, const char *meta, unsigned long number)
{
	struct buf text = { 0 };
	struct json json = { .out = &text, .comma = true };
	size_t len = strlen(meta);

	buf_add(&text, meta, len > 0 && meta[len - 1] == '}' ? len - 1 : len);
	jsonw_key(&json, "writer");
	jsonw_string(&json, ledger->writer);
	jsonw_key(&json, "number");
	jsonw_int(&json, (int64_t)number);
	buf_add_char(&text, '}');
	return buf_steal(&text);
}

/*
 * Adds a commit to another one. A later text of a key replaces the earlier one: etcd takes a key once in a
 * transaction.
 */
static void merge(struct commit *into, const struct commit *from)
{
	for (size_t i = 0; i < from->puts.count; i++) {
		const struct commit_put *put = from->puts.items[i];

		commit_put_bytes(into, put->key, put->text != NULL ? mem_strndup(put->text, put->len) : NULL, put->len);
	}
}

static bool fits(const struct commit *into, const struct commit *next)
{
	return into->puts.count + next->puts.count <= OPERATIONS && into->bytes + next->bytes <= BODY_BYTES_MOST / 2;
}

static void add_puts(const struct ledger *ledger, struct body *body, const struct commit *commit)
{
	for (size_t i = 0; i < commit->puts.count; i++) {
		const struct commit_put *put = commit->puts.items[i];
		char *key = key_of(ledger, put->key);

		if (put->text != NULL)
			body_put(body, BODY_SUCCESS, key, put->text, put->len, 0);
		else
			body_delete(body, BODY_SUCCESS, key, false);
		free(key);
	}
}

/* ---- what came of it ---- */

static void say_stuck(struct ledger *ledger, const char *why)
{
	if (ledger->is_stuck == (why != NULL))
		return;
	ledger->is_stuck = why != NULL;
	ledger->events.stuck(ledger->events.data, why);
}

static void take_done(struct ledger *ledger, int64_t revision)
{
	unsigned long number = ledger->last;

	ledger->meta_revision = revision;
	for (; ledger->sent > 0; ledger->sent--) {
		struct commit *commit = list_shift(&ledger->waiting);

		if (ledger->sent == 1) {
			free(ledger->meta);
			ledger->meta = mem_strdup(commit->meta);
		}
		commit_free(&commit);
	}
	say_stuck(ledger, NULL);
	ledger->events.committed(ledger->events.data, number);
	go_on(ledger);
}

static void refuse(struct ledger *ledger, const char *why)
{
	ledger_end(ledger);
	ledger->events.refused(ledger->events.data, why);
}

/* Whether this value of `state/meta` was written by our last transaction. */
static bool is_ours(const struct ledger *ledger, const struct etcd_pair *meta)
{
	json_t *object = json_loadb(meta->value, meta->value_len, 0, NULL);
	const char *writer = json_string_value(json_object_get(object, "writer"));
	bool ours = writer != NULL && strcmp(writer, ledger->writer) == 0 &&
		    (unsigned long)json_integer_value(json_object_get(object, "number")) == ledger->last;

	json_decref(object);
	return ours;
}

/* A comparison has failed though we know the outcome of all transactions before: the term is over. */
static void take_difference(struct ledger *ledger, const struct answer *answer)
{
	const struct etcd_pairs *lead = answer->part_count > 0 ? &answer->parts[0].pairs : NULL;

	if (lead == NULL || lead->count == 0 || lead->items[0].create_revision != ledger->term)
		refuse(ledger, "the term is over");
	else
		refuse(ledger, "somebody else has written the state");
}

static void try_later(struct ledger *ledger, const char *why)
{
	ledger->sent = 0; /* the transaction was not carried out, and never will be */
	say_stuck(ledger, why);
	timer_start(ledger->again, AGAIN_MS);
}

static void on_barrier(void *data, const struct barrier_result *result)
{
	struct ledger *ledger = data;

	barrier_free(&ledger->barrier);
	if (result->end == BARRIER_WON) {
		ledger->meta_revision = result->mod_revision;
		ledger->sent = 0;
		say_stuck(ledger, NULL);
		go_on(ledger);
	} else if (result->pair != NULL && is_ours(ledger, result->pair)) {
		take_done(ledger, result->mod_revision);
	} else {
		refuse(ledger, "the term is over");
	}
}

static void on_barrier_failed(void *data, const struct answer *answer)
{
	say_stuck(data, answer->words);
}

static void raise_barrier(struct ledger *ledger)
{
	char *value = meta_with_writer(ledger, ledger->meta, 0); /* no commit has the number 0 */
	const struct barrier_order order = {
		.key = ledger->meta_key,
		.mod_revision = ledger->meta_revision,
		.value = value,
		.value_len = strlen(value),
		.term_key = ledger->lead_key,
		.term = ledger->term,
		.timeout_ms = ledger->timeout_ms,
	};

	ledger->barrier = barrier_start(ledger->client, &order, on_barrier, on_barrier_failed, ledger);
	free(value);
}

static void on_answer(void *data, struct answer *answer)
{
	struct ledger *ledger = data;

	ledger->call = NULL;
	switch (answer->outcome) {
	case ETCD_DONE:
		take_done(ledger, answer->header.revision);
		return;
	case ETCD_DIFFERS:
		take_difference(ledger, answer);
		return;
	case ETCD_UNKNOWN:
		raise_barrier(ledger);
		return;
	case ETCD_REFUSED:
	case ETCD_AWAY:
		try_later(ledger, answer->words);
		return;
	}
}

/* ---- what is sent ---- */

static void send_commits(struct ledger *ledger)
{
	struct commit *whole = commit_new(0, NULL);
	const struct commit *last = ledger->waiting.items[0];
	struct body body;
	char *meta;

	begin_body(ledger, &body);
	merge(whole, last);
	for (ledger->sent = 1; ledger->sent < ledger->waiting.count && fits(whole, ledger->waiting.items[ledger->sent]);
	     ledger->sent++) {
		last = ledger->waiting.items[ledger->sent];
		merge(whole, last);
	}
	ledger->last = last->number;
	meta = meta_with_writer(ledger, last->meta, last->number);
	add_puts(ledger, &body, whole);
	body_put(&body, BODY_SUCCESS, ledger->meta_key, meta, strlen(meta), 0);
	ledger->call = client_ask(ledger->client, &body, ledger->timeout_ms, on_answer, ledger);
	commit_free(&whole);
	body_free(&body);
	free(meta);
}

static void go_on(struct ledger *ledger)
{
	if (ledger->term != 0 && ledger->call == NULL && ledger->barrier == NULL && ledger->waiting.count > 0 &&
	    !timer_is_set(ledger->again))
		send_commits(ledger);
}

static void on_again(void *data)
{
	go_on(data);
}

/* ---- its life ---- */

struct ledger *ledger_new(const struct ledger_start *start)
{
	struct ledger *ledger = mem_zalloc(1, sizeof(*ledger));

	ledger->client = start->client;
	ledger->prefix = mem_strdup(start->prefix);
	ledger->writer = mem_strdup(start->writer);
	ledger->lead_key = key_of(ledger, KEY_LEAD);
	ledger->meta_key = key_of(ledger, SAVED_META);
	ledger->timeout_ms = start->timeout_ms;
	ledger->events = *start->events;
	ledger->again = timer_new(client_loop(start->client), on_again, ledger);
	return ledger;
}

void ledger_begin(struct ledger *ledger, int64_t term, int64_t meta_revision, const char *meta)
{
	ledger_end(ledger);
	ledger->term = term;
	ledger->meta_revision = meta_revision;
	ledger->meta = mem_strdup(meta);
}

void ledger_add(struct ledger *ledger, struct commit *commit)
{
	/* The monitor's thread may not know yet that the term of this commit is over, and that we have another one. */
	if (ledger->term == 0 || commit->term != ledger->term) {
		commit_free(&commit);
		return;
	}
	list_add(&ledger->waiting, commit);
	go_on(ledger);
}

static void drop_all(struct ledger *ledger)
{
	struct commit *commit;

	ledger->term = 0;
	ledger->sent = 0;
	client_cancel(&ledger->call);
	barrier_free(&ledger->barrier);
	timer_stop(ledger->again);
	while ((commit = list_shift(&ledger->waiting)) != NULL)
		commit_free(&commit);
	free(ledger->meta);
	ledger->meta = NULL;
}

void ledger_end(struct ledger *ledger)
{
	drop_all(ledger);
	say_stuck(ledger, NULL); /* nothing waits for etcd any more */
}

bool ledger_is_busy(const struct ledger *ledger)
{
	return ledger->waiting.count > 0;
}

void ledger_free(struct ledger **ledger_p)
{
	struct ledger *ledger = *ledger_p;

	*ledger_p = NULL;
	if (ledger == NULL)
		return;
	drop_all(ledger);
	list_free(&ledger->waiting);
	timer_free(&ledger->again);
	free(ledger->prefix);
	free(ledger->writer);
	free(ledger->lead_key);
	free(ledger->meta_key);
	free(ledger);
}
