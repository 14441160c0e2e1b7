/*
 * A feed tells what is put and deleted below a prefix, by a watch at one member. It is a hint that comes soon, and no
 * proof that nothing else has happened: a member that is stopped or cut off tells nothing, while its connection stays
 * open. A caller that reads a newer revision below the prefix in another way tells the feed (feed_expect()). After a
 * failure the feed opens a watch at the next endpoint, from the first revision that it has not told yet, so that no
 * event is told twice, and none is left out unless FEED_COMPACTED says so (which it may after a long silence, though
 * nothing below the prefix had changed). Loop's thread.
 */
#pragma once

#include "etcd/client.h"
#include "etcd/notice.h"

enum feed_word {
	FEED_OPEN,      /* a watch is open */
	FEED_EVENTS,    /* events of one or several whole revisions */
	FEED_BROKEN,    /* the watch has ended; another one is opened */
	FEED_COMPACTED, /* events are gone that were not told, so all must be read anew; the feed goes on after them */
	/*
	 * The member has a lower revision than was told: it lags, or the store fell back to a backup; a linearizable
	 * read says which. The feed goes on, from the revision that it waits for.
	 */
	FEED_BEHIND,
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
 * `patience_ms`: how long a watch may take to open, and expected events to come. `told` may free the feed.
 */
struct feed *feed_start(struct client *client, const char *prefix, int64_t revision, int64_t patience_ms,
			void (*told)(void *data, const struct feed_news *news), void *data);

/*
 * The caller has seen a change below the prefix at this revision: if the feed has not told it within its patience, it
 * opens a watch at another endpoint.
 */
void feed_expect(struct feed *feed, int64_t revision);

/* NULL allowed; clears the pointer. */
void feed_free(struct feed **feed);
