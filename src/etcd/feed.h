/*
 * The feed of a prefix: what is put and deleted there, as a watch at one member tells it. It is a hint that comes
 * soon, and no proof that nothing else has happened: a member that is stopped or cut off tells nothing, and its
 * connection stands. Who reads a revision below the prefix by another way says so (feed_expect()). After a failure it
 * opens a watch at the next endpoint by itself, from the revision on that it has not told yet, so that no event is
 * told twice, and none is left out unless FEED_COMPACTED says so (which it may after a long silence, though nothing
 * below the prefix had changed). Loop's thread.
 */
#pragma once

#include "etcd/client.h"
#include "etcd/notice.h"

enum feed_word {
	FEED_OPEN,      /* a watch stands */
	FEED_EVENTS,    /* of one revision or several, whole ones */
	FEED_BROKEN,    /* the watch has ended; another one is opened */
	FEED_COMPACTED, /* events are gone that were not told: all must be read; it goes on behind them */
	FEED_BEHIND,    /* the member has a lower revision than was told: it lags, or the store fell back to a backup; */
			/* a linearizable read says which. It goes on, from the revision that it waits for. */
};

struct feed_news {
	enum feed_word word;
	int64_t revision;   /* FEED_OPEN, FEED_BEHIND: the member's; FEED_EVENTS: the last of them; FEED_COMPACTED: the
			     * first that is there; else 0 */
	const struct notice_event *events; /* for the call only */
	size_t event_count;
	const char *words;  /* FEED_BROKEN: why; else "" */
	const char *url;    /* the endpoint */
};

struct feed;

/*
 * `revision`: the first whose events are wanted (one above that of the read which came before); 0: from now on.
 * `patience_ms`: so long a watch may take to stand, and expected events to come. `told` may free the feed.
 */
struct feed *feed_start(struct client *client, const char *prefix, int64_t revision, int64_t patience_ms,
			void (*told)(void *data, const struct feed_news *news), void *data);

/*
 * Something below the prefix was seen to change at this revision: when the feed has not told it within its patience,
 * it takes another endpoint.
 */
void feed_expect(struct feed *feed, int64_t revision);

/* NULL allowed; clears the pointer. */
void feed_free(struct feed **feed);
