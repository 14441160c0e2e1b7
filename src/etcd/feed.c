#include "etcd/feed.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "loop/timer.h"

#define FIRST_PAUSE_MS 100
#define LONGEST_PAUSE_MS 3000

struct feed {
	struct client *client;
	char *prefix;
	int64_t next_revision; /* the first that was not told; 0: not known before a watch is open */
	int64_t expected;      /* the revision to be told within the patience; 0: none */
	int64_t patience_ms;
	int64_t pause_ms;      /* before the next watch is opened, if this one breaks */
	size_t endpoint;
	bool stands;
	struct client_call *call;
	struct timer *limit;   /* by then the watch must be open, or what is expected be told */
	struct timer *again;   /* opens the next watch */
	void (*told)(void *data, const struct feed_news *news);
	void *data;
	bool busy;             /* `told` may be called below: the owner may free the feed in it */
	bool freed;            /* he has: its memory is freed once it is no longer busy */
};

static void drop_memory(struct feed *feed)
{
	free(feed->prefix);
	free(feed);
}

/* Tells the owner. False: he has freed the feed, of which nothing but its memory is left. */
static bool tell(struct feed *feed, struct feed_news news)
{
	news.url = client_url(feed->client, feed->endpoint);
	if (news.words == NULL)
		news.words = "";
	feed->told(feed->data, &news);
	return !feed->freed;
}

static void take_next(struct feed *feed)
{
	timer_start(feed->again, feed->pause_ms);
	feed->pause_ms = feed->pause_ms * 2 < LONGEST_PAUSE_MS ? feed->pause_ms * 2 : LONGEST_PAUSE_MS;
}

/* Gives the watch up, and tells the owner last. False: he has freed the feed. */
static bool break_off(struct feed *feed, const char *words)
{
	struct feed_news news = { .word = FEED_BROKEN, .words = words };

	client_cancel(&feed->call);
	timer_stop(feed->limit);
	feed->stands = false;
	take_next(feed);
	if (!tell(feed, news))
		return false;
	feed->endpoint++;
	return true;
}

static void end_busy(struct feed *feed)
{
	feed->busy = false;
	if (feed->freed)
		drop_memory(feed);
}

static void on_limit(void *data)
{
	struct feed *feed = data;

	feed->busy = true;
	if (feed->call != NULL)
		(void)break_off(feed, feed->stands ? "the watch did not tell a change that was seen in another way" :
						     "the watch was not opened in time");
	end_busy(feed);
}

static bool on_created(struct feed *feed, const struct notice *notice)
{
	int64_t revision = notice->header.revision;
	bool behind = feed->next_revision > revision + 1;

	feed->stands = true;
	feed->pause_ms = FIRST_PAUSE_MS;
	timer_stop(feed->limit);
	if (feed->next_revision == 0)
		feed->next_revision = revision + 1;
	if (feed->expected >= feed->next_revision)
		timer_start(feed->limit, feed->patience_ms);
	if (!tell(feed, (struct feed_news){ .word = FEED_OPEN, .revision = revision }))
		return false;
	return !behind || tell(feed, (struct feed_news){ .word = FEED_BEHIND, .revision = revision });
}

/* etcd says that the watch is canceled: it is closed here, as its connection may stay open for ever. */
static bool on_canceled(struct feed *feed, const struct notice *notice)
{
	if (notice->reason == ETCD_REASON_COMPACTED && notice->compact_revision > 0) {
		feed->next_revision = notice->compact_revision + 1;
		feed->pause_ms = 0;
		if (!tell(feed, (struct feed_news){ .word = FEED_COMPACTED, .revision = feed->next_revision }))
			return false;
	}
	if (notice->reason == ETCD_REASON_LOGIN)
		client_drop_token(feed->client);
	return break_off(feed, notice->words);
}

static bool on_events(struct feed *feed, const struct notice *notice)
{
	int64_t last = notice->events[notice->event_count - 1].pair.mod_revision;

	feed->next_revision = last + 1;
	if (feed->expected < feed->next_revision)
		timer_stop(feed->limit);
	return tell(feed, (struct feed_news){ .word = FEED_EVENTS, .revision = last, .events = notice->events,
					      .event_count = notice->event_count });
}

/* Takes one line. False: the watch is closed, or the feed is freed, and nothing more may be read. */
static bool take_line(struct feed *feed, const char *line, size_t len)
{
	struct notice notice;
	bool goes_on = true;

	if (!notice_read(&notice, line, len)) {
		(void)break_off(feed, "a line of the watch is not one of etcd's");
		goes_on = false;
	}
	if (goes_on && notice.created && !notice.canceled)
		goes_on = on_created(feed, &notice);
	if (goes_on && notice.event_count > 0)
		goes_on = on_events(feed, &notice);
	if (goes_on && notice.canceled) {
		(void)on_canceled(feed, &notice);
		goes_on = false;
	}
	notice_free(&notice);
	return goes_on;
}

static void on_more(void *data, struct buf *lines)
{
	struct feed *feed = data;
	struct buf line = { 0 };
	const char *end;
	bool goes_on = true;

	feed->busy = true;
	/* a line is copied out first: closing the watch because of it frees `lines` */
	while (goes_on && lines->len > 0 && (end = memchr(lines->data, '\n', lines->len)) != NULL) {
		buf_clear(&line);
		buf_add(&line, lines->data, (size_t)(end - lines->data));
		buf_drop(lines, line.len + 1);
		goes_on = take_line(feed, line.data, line.len);
	}
	buf_free(&line);
	end_busy(feed);
}

static void on_done(void *data, struct answer *answer)
{
	struct feed *feed = data;

	feed->call = NULL;
	feed->busy = true;
	(void)break_off(feed, answer->words);
	end_busy(feed);
}

static void on_again(void *data)
{
	struct feed *feed = data;
	struct body body = { 0 };

	body_watch(&body, feed->prefix, feed->next_revision);
	timer_start(feed->limit, feed->patience_ms);
	feed->call = client_open(feed->client, feed->endpoint, &body, on_more, on_done, feed);
	body_free(&body);
}

struct feed *feed_start(struct client *client, const char *prefix, int64_t revision, int64_t patience_ms,
			void (*told)(void *data, const struct feed_news *news), void *data)
{
	struct feed *feed = mem_zalloc(1, sizeof(*feed));

	feed->client = client;
	feed->prefix = mem_strdup(prefix);
	feed->next_revision = revision;
	feed->patience_ms = patience_ms;
	feed->pause_ms = FIRST_PAUSE_MS;
	feed->endpoint = client_endpoint(client);
	feed->told = told;
	feed->data = data;
	feed->limit = timer_new(client_loop(client), on_limit, feed);
	feed->again = timer_new(client_loop(client), on_again, feed);
	on_again(feed);
	return feed;
}

void feed_expect(struct feed *feed, int64_t revision)
{
	if (revision > feed->expected)
		feed->expected = revision;
	if (feed->stands && feed->expected >= feed->next_revision && !timer_is_set(feed->limit))
		timer_start(feed->limit, feed->patience_ms);
}

void feed_free(struct feed **feed_p)
{
	struct feed *feed = *feed_p;

	*feed_p = NULL;
	if (feed == NULL)
		return;
	client_cancel(&feed->call);
	timer_free(&feed->limit);
	timer_free(&feed->again);
	feed->freed = true;
	if (!feed->busy)
		drop_memory(feed);
}
