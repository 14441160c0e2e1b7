#include "council/roll.h"

#include <stdlib.h>

#include "base/mem.h"
#include "etcd/feed.h"

#define ASK_PARTS 4   /* a read may take this part of the lease's time */
#define WATCH_PARTS 2 /* opening a watch may take this part of the lease's time */

struct roll {
	struct client *client;
	char *key;
	int64_t ttl_ms;
	struct feed *feed;
	struct client_call *call;
	bool again; /* an entry has changed while they were being read */
	void (*told)(void *data, const char *list);
	void *data;
};

static void read_entries(struct roll *roll);

static void on_answer(void *data, struct answer *answer)
{
	struct roll *roll = data;
	struct buf text = { 0 };
	bool again = roll->again || answer->outcome != ETCD_DONE;

	roll->call = NULL;
	roll->again = false;
	if (answer->outcome == ETCD_DONE) {
		buf_add_char(&text, '[');
		for (size_t i = 0; i < answer->pairs.count; i++) {
			buf_add_str(&text, i > 0 ? "," : "");
			buf_add(&text, answer->pairs.items[i].value, answer->pairs.items[i].value_len);
		}
		buf_add_char(&text, ']');
		roll->told(roll->data, buf_text(&text));
		buf_free(&text);
	}
	if (again)
		read_entries(roll);
}

static void read_entries(struct roll *roll)
{
	const struct body_range range = { .key = roll->key, .prefix = true };
	struct body body;

	if (roll->call != NULL) {
		roll->again = true;
		return;
	}
	body_range(&body, &range);
	roll->call = client_ask(roll->client, &body, roll->ttl_ms / ASK_PARTS, on_answer, roll);
	body_free(&body);
}

static void on_news(void *data, const struct feed_news *news)
{
	if (news->word != FEED_BROKEN)
		read_entries(data);
}

struct roll *roll_new(struct client *client, const char *key, int64_t ttl_ms,
		      void (*told)(void *data, const char *list), void *data)
{
	struct roll *roll = mem_zalloc(1, sizeof(*roll));

	roll->client = client;
	roll->key = mem_strdup(key);
	roll->ttl_ms = ttl_ms;
	roll->told = told;
	roll->data = data;
	roll->feed = feed_start(client, key, 0, ttl_ms / WATCH_PARTS, on_news, roll);
	return roll;
}

void roll_free(struct roll **roll_p)
{
	struct roll *roll = *roll_p;

	*roll_p = NULL;
	if (roll == NULL)
		return;
	client_cancel(&roll->call);
	feed_free(&roll->feed);
	free(roll->key);
	free(roll);
}
