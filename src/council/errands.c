#include "council/errands.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "loop/clock.h"
#include "loop/timer.h"

#define AGAIN_MS 100 /* after a request that failed */

struct errand {
	unsigned long number;
	char *key;
	char *text;             /* NULL: the key is to be deleted */
	int64_t end_ms;         /* steady: when it fails if it is not done */
	unsigned long shown_by; /* the number of the first read that shows it; 0: it is not written yet */
	bool is_unknown;        /* a request was sent whose answer was lost */
};

static struct errand *first_of(const struct errands *errands)
{
	return errands->all.count > 0 ? errands->all.items[0] : NULL;
}

static void free_errand(struct errand *errand)
{
	free(errand->key);
	free(errand->text);
	free(errand);
}

void errands_add(struct errands *errands, unsigned long number, char *key, char *text)
{
	struct errand *errand = mem_zalloc(1, sizeof(*errand));

	*errand = (struct errand){ .number = number, .key = key, .text = text };
	errand->end_ms = number != 0 ? clock_steady_ms() + ERRAND_MS : INT64_MAX;
	errands->seeds += number == 0;
	list_add(&errands->all, errand);
}

bool errands_have(const struct errands *errands, const char *key)
{
	for (size_t i = 0; i < errands->all.count; i++) {
		if (strcmp(((const struct errand *)errands->all.items[i])->key, key) == 0)
			return true;
	}
	return false;
}

/* Ends an errand and tells the owner. `why`: why it failed; NULL: it is done. */
static void conclude(struct errands *errands, struct errand *errand, const char *why)
{
	if (errand == first_of(errands))
		client_cancel(&errands->call);
	(void)list_remove(&errands->all, errand);
	if (errand->number != 0)
		errands->events->done(errands->events->data, errand->number, why);
	else if (--errands->seeds == 0)
		(void)errands->events->look(errands->events->data); /* the owner tells reads once no seed is left */
	free_errand(errand);
}

void errands_failed(struct errands *errands, const char *words)
{
	int64_t now_ms = clock_steady_ms();

	for (size_t i = 0; i < errands->all.count;) {
		struct errand *errand = errands->all.items[i];
		bool is_sent = errand->is_unknown || (i == 0 && errands->call != NULL);
		char *why;

		if (errand->end_ms > now_ms) {
			i++;
			continue;
		}
		why = mem_printf("%s: %s", is_sent ? "etcd has not said in time whether it is written, see silence --list"
						   : "etcd cannot be asked", words);
		conclude(errands, errand, why);
		free(why);
	}
}

void errands_refuse(struct errands *errands, const char *why)
{
	for (size_t i = 0; i < errands->all.count;) {
		struct errand *errand = errands->all.items[i];

		if (errand->number != 0)
			conclude(errands, errand, why);
		else
			i++;
	}
}

/* ---- the first one ---- */

static void on_written(void *data, struct answer *answer)
{
	struct errands *errands = data;
	struct errand *errand = first_of(errands);

	errands->call = NULL;
	switch (answer->outcome) {
	case ETCD_DONE:
		errand->shown_by = errands->events->look(errands->events->data);
		return;
	case ETCD_DIFFERS: /* another monitor has written the key, or a request of ours whose answer was lost */
		(void)errands->events->look(errands->events->data);
		return;
	case ETCD_REFUSED:
		if (errand->number != 0)
			conclude(errands, errand, answer->words);
		break;
	case ETCD_UNKNOWN:
		errand->is_unknown = true;
		break;
	case ETCD_AWAY:
		break;
	}
	errands_failed(errands, answer->words);
	timer_start(errands->again, AGAIN_MS);
}

void errands_again(void *data)
{
	const struct errands *errands = data;

	(void)errands->events->look(errands->events->data);
}

/* Sends the errand. `pair`: what the key holds; NULL: it is not there. */
static void write_key(struct errands *errands, const struct errand *errand, const struct etcd_pair *pair)
{
	struct body body;

	body_txn(&body);
	body_compare(&body, errand->key, BODY_MOD_REVISION, BODY_EQUAL, pair != NULL ? pair->mod_revision : 0);
	if (errand->text != NULL)
		body_put(&body, BODY_SUCCESS, errand->key, errand->text, strlen(errand->text), 0);
	else
		body_delete(&body, BODY_SUCCESS, errand->key, false);
	errands->call = client_ask(errands->client, &body, errands->timeout_ms, on_written, errands);
	body_free(&body);
}

static const struct etcd_pair *find_pair(const struct etcd_pairs *pairs, const char *key)
{
	for (size_t i = 0; i < pairs->count; i++) {
		if (strcmp(pairs->items[i].key, key) == 0)
			return &pairs->items[i];
	}
	return NULL;
}

/* Whether the key already is as the errand wants it. */
static bool stands(const struct errand *errand, const struct etcd_pair *pair)
{
	if (errand->text == NULL || pair == NULL)
		return errand->text == NULL && pair == NULL;
	return strlen(errand->text) == pair->value_len && memcmp(errand->text, pair->value, pair->value_len) == 0;
}

void errands_take(struct errands *errands, const struct etcd_pairs *pairs, unsigned long number, size_t room)
{
	struct errand *errand;

	while (errands->call == NULL && (errand = first_of(errands)) != NULL) {
		const struct etcd_pair *pair = find_pair(pairs, errand->key);
		/* Then it was written, though another monitor may have changed the key since. */
		bool is_shown = errand->shown_by != 0 && number >= errand->shown_by;

		if (is_shown || stands(errand, pair))
			conclude(errands, errand, NULL);
		else if (errand->shown_by != 0)
			return; /* this read began before it was written */
		else if (errand->number != 0 && errand->text != NULL && pair == NULL && pairs->count >= room)
			conclude(errands, errand, "there are too many silences already: one has to end first (silence --end)");
		else
			write_key(errands, errand, pair);
	}
}

void errands_free(struct errands *errands)
{
	struct errand *errand;

	client_cancel(&errands->call);
	timer_free(&errands->again);
	while ((errand = list_shift(&errands->all)) != NULL)
		free_errand(errand);
	list_free(&errands->all);
}
