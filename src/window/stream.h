/*
 * Answers /events. A client that stays connected gets Server-Sent Events, and may come back with Last-Event-ID. A
 * script that asks with `?since=` gets an answer as soon as there is an entry behind that id (long poll). While there
 * is nothing to send, the connections are suspended in libmicrohttpd. Window thread.
 */
#pragma once

#include "window/visit.h"

#define STREAM_MISSED "missed" /* name of the event which says that entries are missing */
#define STREAMS_MOST 128      /* because a stream has no end, and streams must not take all connections */
#define STREAM_COMMENT_MS 15000 /* without an event a comment is sent; it also shows which clients have gone */
#define STREAM_POLL_MS 25000  /* the longest wait of a script's request */

/* Answers a request for /events. libmicrohttpd calls it again when a request that waited is resumed. */
enum MHD_Result stream_answer(struct visit *visit);

/* Resumes all streams, because the diary has a new entry. */
void streams_wake(struct streams *streams);

/* Resumes the streams that have waited as long as they may. */
void streams_sweep(struct streams *streams);

/* Ends all streams: libmicrohttpd is about to stop, or the token has changed. */
void streams_end(struct streams *streams);

/* Frees the stream of a request that has ended. */
void stream_forget(struct visit *visit);
