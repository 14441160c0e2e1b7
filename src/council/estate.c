#include "council/estate.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/saved_keys.h"
#include "council/keys.h"
#include "council/values.h"
#include "loop/timer.h"
#include "records/saved_gather.h"

#define AGAIN_MS 100 /* after a read that failed */

/* What is read, in this order. */
enum part { READS_STATE, READS_VALUES, READS_EVENTS };

struct estate_reader {
	struct client *client;
	char *prefix;
	int64_t timeout_ms;
	struct estate *estate;
	enum part part; /* what is read now */
	struct client_call *call;
	struct timer *again;
	void (*done)(void *data, struct estate *estate, const char *why);
	void *data;
};

static void read_next(struct estate_reader *reader);

static void end(struct estate_reader *reader, const char *why)
{
	struct estate *estate = reader->estate;

	reader->estate = NULL;
	if (why != NULL)
		estate_free(&estate);
	reader->done(reader->data, estate, why);
}

/* The part of the key after the prefix. */
static const char *behind(const struct estate_reader *reader, const struct etcd_pair *pair)
{
	return pair->key + strlen(reader->prefix);
}

/* Takes the state from what was read. False: `*why` says why it cannot be taken over. */
static bool take_state(struct estate_reader *reader, const struct etcd_pairs *pairs, char **why)
{
	struct saved_gather *gather = saved_gather_new();
	struct estate *estate = reader->estate;

	for (size_t i = 0; i < pairs->count; i++) {
		const struct etcd_pair *pair = &pairs->items[i];

		saved_gather_add(gather, behind(reader, pair), pair->value, pair->value_len);
		if (strcmp(behind(reader, pair), SAVED_META) == 0) {
			free(estate->meta);
			estate->meta = mem_strndup(pair->value, pair->value_len);
			estate->meta_revision = pair->mod_revision;
		}
	}
	estate->saved = saved_gather_end(&gather, why);
	return estate->saved != NULL || *why == NULL;
}

static void take_events(struct estate_reader *reader, const struct etcd_pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++) {
		const struct etcd_pair *pair = &pairs->items[i];
		struct estate_event *event = mem_zalloc(1, sizeof(*event));

		event->number = strtoul(behind(reader, pair) + strlen(KEY_EVENTS), NULL, 10);
		event->text = mem_strndup(pair->value, pair->value_len);
		list_add(&reader->estate->events, event); /* etcd gives keys in their order */
	}
}

/* Values that cannot be read are left out: somebody else has written them, or a later version of plusmoin. */
static void take_values(struct estate_reader *reader, const struct etcd_pairs *pairs)
{
	struct estate *estate = reader->estate;

	for (size_t i = 0; i < pairs->count; i++) {
		const struct etcd_pair *pair = &pairs->items[i];
		struct assignment *value = values_read(behind(reader, pair), pair->value, pair->value_len);

		if (value != NULL)
			list_add(&estate->values, value);
		else if (estate->strange == NULL)
			estate->strange = mem_strdup(pair->key);
	}
}

static void on_answer(void *data, struct answer *answer)
{
	struct estate_reader *reader = data;
	char *why = NULL;

	reader->call = NULL;
	if (answer->outcome != ETCD_DONE) {
		timer_start(reader->again, AGAIN_MS);
		return;
	}
	switch (reader->part) {
	case READS_STATE:
		if (!take_state(reader, &answer->pairs, &why)) {
			end(reader, why);
			free(why);
			return;
		}
		reader->estate->left_out = why;
		reader->part = READS_VALUES;
		break;
	case READS_VALUES:
		take_values(reader, &answer->pairs);
		reader->part = READS_EVENTS;
		break;
	case READS_EVENTS:
		take_events(reader, &answer->pairs);
		end(reader, NULL);
		return;
	}
	read_next(reader);
}

static void read_next(struct estate_reader *reader)
{
	static const char *const keys[] = {
		[READS_STATE] = KEY_STATE, [READS_VALUES] = KEY_VALUES, [READS_EVENTS] = KEY_EVENTS,
	};
	char *key = mem_printf("%s%s", reader->prefix, keys[reader->part]);
	const struct body_range range = { .key = key, .prefix = true };
	struct body body;

	body_range(&body, &range);
	reader->call = client_ask(reader->client, &body, reader->timeout_ms, on_answer, reader);
	body_free(&body);
	free(key);
}

static void on_again(void *data)
{
	read_next(data);
}

struct estate_reader *estate_read(struct client *client, const char *prefix, int64_t term, int64_t timeout_ms,
				  void (*done)(void *data, struct estate *estate, const char *why), void *data)
{
	struct estate_reader *reader = mem_zalloc(1, sizeof(*reader));

	reader->client = client;
	reader->prefix = mem_strdup(prefix);
	reader->timeout_ms = timeout_ms;
	reader->estate = mem_zalloc(1, sizeof(*reader->estate));
	reader->estate->term = term;
	reader->estate->meta = mem_strdup("{}");
	reader->again = timer_new(client_loop(client), on_again, reader);
	reader->done = done;
	reader->data = data;
	read_next(reader);
	return reader;
}

void estate_reader_free(struct estate_reader **reader_p)
{
	struct estate_reader *reader = *reader_p;

	*reader_p = NULL;
	if (reader == NULL)
		return;
	client_cancel(&reader->call);
	timer_free(&reader->again);
	estate_free(&reader->estate);
	free(reader->prefix);
	free(reader);
}

void estate_free(struct estate **estate_p)
{
	struct estate *estate = *estate_p;

	*estate_p = NULL;
	if (estate == NULL)
		return;
	for (size_t i = 0; i < estate->events.count; i++) {
		struct estate_event *event = estate->events.items[i];

		free(event->text);
		free(event);
	}
	list_free(&estate->events);
	saved_free(&estate->saved);
	assignment_free_all(&estate->values);
	free(estate->left_out);
	free(estate->strange);
	free(estate->meta);
	free(estate);
}
