#include "council/keeper.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "council/errands.h"
#include "council/keys.h"
#include "etcd/feed.h"
#include "loop/clock.h"
#include "loop/timer.h"
#include "records/silence_json.h"

#define AGAIN_MS 100    /* after a read that failed */
#define ASK_PARTS 4     /* a request may take this part of the lease's time */
#define WATCH_PARTS 2   /* opening a watch may take this part of the lease's time */
#define TIDY_MS 1000    /* a key is deleted this long after the end of its silence */
#define TIDY_AT_ONCE 50 /* keys in one transaction: etcd takes 128 operations */

struct keeper {
	struct client *client;
	char *key; /* with which the keys of all silences begin */
	int64_t ttl_ms;
	struct keeper_events events;
	struct errands_events errand_events;
	struct errands errands;
	struct silences told; /* what the owner was told last, and what it has seeded */
	bool has_told;
	bool drops_others;   /* the next read has to delete all keys that are not seeded */
	struct client_call *read; /* the read under way; NULL: none */
	unsigned long reads; /* how many were begun; the number of the last one */
	bool again;          /* look() was called while `read` was under way */
	struct client_call *tidy; /* the deletion of keys that are over; NULL: none is under way */
	struct timer *next;  /* until the next read */
	struct feed *feed;
	void (*fresh)(void *data); /* of keeper_await(); NULL: nobody waits */
	void *fresh_data;
	unsigned long fresh_by;    /* the number of the first read for which `fresh` is called */
	uint64_t store;            /* etcd's cluster id; 0: not seen yet */
	int64_t revision;          /* the highest that was read */
	bool is_strange;           /* the store is not the one it was */
	bool acts;                 /* this monitor does */
	size_t unreadable;         /* how many keys of the last read were no silences */
};

static unsigned long look(struct keeper *keeper);

static int64_t ask_ms(const struct keeper *keeper)
{
	return keeper->ttl_ms / ASK_PARTS;
}

/* ---- what is read ---- */

/* Reads the silence that the pair holds. False: it cannot be read, and `*wrong` names what is wrong. */
static bool read_pair(const struct keeper *keeper, const struct etcd_pair *pair, struct silence *silence, const char **wrong)
{
	json_t *root = json_loadb(pair->value, pair->value_len, JSON_REJECT_DUPLICATES, NULL);
	bool is_read = silence_json_read(root, silence, wrong);
	char *target = is_read ? silence_target(silence) : NULL;

	json_decref(root);
	if (is_read && strcmp(pair->key + strlen(keeper->key), target) != 0) {
		silence_clear(silence);
		*wrong = "target";
		is_read = false;
	}
	free(target);
	return is_read;
}

static struct silences silences_of(struct keeper *keeper, const struct etcd_pairs *pairs)
{
	struct silences all = { 0 };
	size_t unreadable = 0;

	for (size_t i = 0; i < pairs->count; i++) {
		const char *wrong = "no object";
		struct silence silence;

		if (read_pair(keeper, &pairs->items[i], &silence, &wrong)) {
			(void)silences_put(&all, &silence);
			silence_clear(&silence);
		} else if (unreadable++ >= keeper->unreadable) {
			log_warning("%s in etcd cannot be read as a silence: %s", pairs->items[i].key, wrong);
		}
	}
	keeper->unreadable = unreadable;
	return all;
}

static bool is_told(const struct keeper *keeper, const struct silences *all)
{
	if (!keeper->has_told || keeper->told.count != all->count)
		return false;
	for (size_t i = 0; i < all->count; i++) {
		if (!silence_same(&keeper->told.items[i], &all->items[i]))
			return false;
	}
	return true;
}

static void tell(struct keeper *keeper, const struct etcd_pairs *pairs)
{
	struct silences all = silences_of(keeper, pairs);

	if (is_told(keeper, &all)) {
		silences_free(&all);
		return;
	}
	silences_free(&keeper->told);
	keeper->told = all;
	keeper->has_told = true;
	keeper->events.read(keeper->events.data, &keeper->told);
}

/* Has all keys deleted that were read and are not being seeded, as the seed replaces whatever the store holds. */
static void drop_others(struct keeper *keeper, const struct etcd_pairs *pairs)
{
	keeper->drops_others = false;
	for (size_t i = 0; i < pairs->count; i++) {
		if (!errands_have(&keeper->errands, pairs->items[i].key))
			errands_add(&keeper->errands, 0, mem_strdup(pairs->items[i].key), NULL);
	}
}

/* ---- those that are over ---- */

static void on_tidied(void *data, struct answer *answer)
{
	struct keeper *keeper = data;

	(void)answer; /* if it failed, a later read tries again */
	keeper->tidy = NULL;
}

static bool is_long_over(const struct keeper *keeper, const struct etcd_pair *pair, int64_t now_ms)
{
	const char *wrong;
	struct silence silence;
	bool is_over;

	if (!read_pair(keeper, pair, &silence, &wrong))
		return false;
	is_over = silence.until_ms + TIDY_MS <= now_ms;
	silence_clear(&silence);
	return is_over;
}

static void tidy(struct keeper *keeper, const struct etcd_pairs *pairs)
{
	int64_t now_ms = clock_wall_ms();
	size_t count = 0;
	struct body body;

	if (!keeper->acts || keeper->tidy != NULL || silences_over(&keeper->told, now_ms - TIDY_MS) == NULL)
		return;
	body_txn(&body);
	for (size_t i = 0; i < pairs->count && count < TIDY_AT_ONCE; i++) {
		if (!is_long_over(keeper, &pairs->items[i], now_ms))
			continue;
		body_compare(&body, pairs->items[i].key, BODY_MOD_REVISION, BODY_EQUAL, pairs->items[i].mod_revision);
		body_delete(&body, BODY_SUCCESS, pairs->items[i].key, false);
		count++;
	}
	if (count > 0)
		keeper->tidy = client_ask(keeper->client, &body, ask_ms(keeper), on_tidied, keeper);
	body_free(&body);
}

/* ---- whether it is the store that it was ---- */

#define STRANGE "etcd's store is not the one it was: see plusmoin monitors seed"

/*
 * Whether the store is the one it was. The revision of one and the same store never falls, since reads are sent one
 * after another and go through etcd's majority.
 */
static bool is_known(struct keeper *keeper, const struct etcd_header *header)
{
	bool is_same = keeper->store == 0 || (header->cluster_id == keeper->store && header->revision >= keeper->revision);

	if (is_same && !keeper->is_strange) {
		keeper->store = header->cluster_id;
		keeper->revision = header->revision;
		return true;
	}
	if (!keeper->is_strange) {
		keeper->is_strange = true;
		keeper->events.strange(keeper->events.data, "etcd is another cluster than before, or was restored from a backup");
	}
	errands_refuse(&keeper->errands, STRANGE);
	return false;
}

/* ---- the reads ---- */

/* Calls who waits (keeper_await()), once the owner was told what the read of this number has shown. */
static void tell_fresh(struct keeper *keeper, unsigned long number)
{
	void (*fresh)(void *data) = keeper->fresh;

	if (fresh == NULL || number < keeper->fresh_by || keeper->errands.seeds > 0)
		return;
	keeper->fresh = NULL;
	fresh(keeper->fresh_data);
}

static void take(struct keeper *keeper, const struct etcd_pairs *pairs)
{
	unsigned long number = keeper->reads; /* kept, as the calls below may begin another read */
	bool is_told = keeper->errands.seeds == 0;

	if (keeper->drops_others)
		drop_others(keeper, pairs);
	if (is_told)
		tell(keeper, pairs);
	errands_take(&keeper->errands, pairs, number, SILENCES_MOST);
	tidy(keeper, pairs);
	if (is_told)
		tell_fresh(keeper, number);
}

static void on_read(void *data, struct answer *answer)
{
	struct keeper *keeper = data;
	bool is_done = answer->outcome == ETCD_DONE;
	bool again = keeper->again;

	keeper->read = NULL;
	keeper->again = false;
	if (is_done && is_known(keeper, &answer->header))
		take(keeper, &answer->pairs);
	else if (!is_done)
		errands_failed(&keeper->errands, answer->words);
	if (keeper->read != NULL)
		return; /* take() or errands_failed() has begun another read */
	if (again)
		(void)look(keeper);
	else
		timer_start(keeper->next, is_done ? keeper->ttl_ms : AGAIN_MS);
}

/* Reads all silences, or does so again after the read under way. Returns the number of that read. */
static unsigned long look(struct keeper *keeper)
{
	const struct body_range range = { .key = keeper->key, .prefix = true };
	struct body body;

	if (keeper->read != NULL) {
		keeper->again = true;
		return keeper->reads + 1;
	}
	timer_stop(keeper->next);
	keeper->reads++;
	body_range(&body, &range);
	keeper->read = client_ask(keeper->client, &body, ask_ms(keeper), on_read, keeper);
	body_free(&body);
	return keeper->reads;
}

static unsigned long on_look(void *data)
{
	return look(data);
}

static void on_done(void *data, unsigned long number, const char *why)
{
	struct keeper *keeper = data;

	keeper->events.done(keeper->events.data, number, why);
}

static void on_next(void *data)
{
	(void)look(data);
}

static void on_news(void *data, const struct feed_news *news)
{
	if (news->word != FEED_BROKEN)
		(void)look(data);
}

/* ---- what is asked of it ---- */

static char *key_of(const struct keeper *keeper, const struct silence *silence)
{
	char *target = silence_target(silence);
	char *key = mem_printf("%s%s", keeper->key, target);

	free(target);
	return key;
}

static char *text_of(const struct silence *silence)
{
	struct buf text = { 0 };
	struct json json = { .out = &text };

	silence_render_stored(silence, &json);
	return buf_steal(&text);
}

void keeper_put(struct keeper *keeper, unsigned long number, const struct silence *silence, bool is_end)
{
	errands_add(&keeper->errands, number, key_of(keeper, silence), is_end ? NULL : text_of(silence));
	(void)look(keeper);
}

static void add_seed(struct keeper *keeper, const struct silence *silence)
{
	errands_add(&keeper->errands, 0, key_of(keeper, silence), text_of(silence));
}

void keeper_seed(struct keeper *keeper, const struct silences *silences)
{
	for (size_t i = 0; i < silences->count; i++) {
		(void)silences_put(&keeper->told, &silences->items[i]);
		add_seed(keeper, &silences->items[i]);
	}
	(void)look(keeper);
}

void keeper_await(struct keeper *keeper, void (*fresh)(void *data), void *data)
{
	keeper->fresh = fresh;
	keeper->fresh_data = data;
	keeper->fresh_by = look(keeper);
}

void keeper_act(struct keeper *keeper, bool acts)
{
	keeper->acts = acts;
}

void keeper_doubt(struct keeper *keeper)
{
	keeper->is_strange = true;
	errands_refuse(&keeper->errands, STRANGE);
}

void keeper_accept(struct keeper *keeper)
{
	keeper->is_strange = false;
	keeper->store = 0;
	keeper->revision = 0;
	for (size_t i = 0; i < keeper->told.count; i++)
		add_seed(keeper, &keeper->told.items[i]);
	keeper->drops_others = keeper->has_told;
	(void)look(keeper);
}

/* ---- its life ---- */

struct keeper *keeper_new(const struct keeper_start *start)
{
	struct keeper *keeper = mem_zalloc(1, sizeof(*keeper));

	keeper->client = start->client;
	keeper->key = mem_printf("%s%s", start->prefix, KEY_SILENCES);
	keeper->ttl_ms = start->ttl_ms;
	keeper->events = *start->events;
	keeper->errand_events = (struct errands_events){ .look = on_look, .done = on_done, .data = keeper };
	keeper->errands = (struct errands){ .client = start->client, .timeout_ms = ask_ms(keeper),
					    .events = &keeper->errand_events };
	keeper->errands.again = timer_new(client_loop(start->client), errands_again, &keeper->errands);
	keeper->next = timer_new(client_loop(start->client), on_next, keeper);
	keeper->feed = feed_start(start->client, keeper->key, 0, start->ttl_ms / WATCH_PARTS, on_news, keeper);
	(void)look(keeper);
	return keeper;
}

void keeper_free(struct keeper **keeper_p)
{
	struct keeper *keeper = *keeper_p;

	*keeper_p = NULL;
	if (keeper == NULL)
		return;
	errands_free(&keeper->errands);
	client_cancel(&keeper->read);
	client_cancel(&keeper->tidy);
	feed_free(&keeper->feed);
	timer_free(&keeper->next);
	silences_free(&keeper->told);
	free(keeper->key);
	free(keeper);
}
