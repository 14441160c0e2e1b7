/*
 * /events: what happens, as it happens. Server-Sent Events for who stays (it may come back with Last-Event-ID), and for
 * scripts an answer that waits until there is something behind `?since=` (long poll). Both are connections that
 * libmicrohttpd leaves alone while there is nothing to say. Window thread.
 */
#pragma once

#include "window/visit.h"

#define STREAM_MISSED "missed" /* named so: something that no more can be told */
#define STREAMS_MOST 128      /* a stream has no end: they must not take all places */
#define STREAM_COMMENT_MS 15000 /* without news: it also finds out who has gone */
#define STREAM_POLL_MS 25000  /* how long a script's request waits at most */

/* Answers a request for /events, also the second time, when one that waited goes on. */
enum MHD_Result stream_answer(struct visit *visit);

/* Something was written into the diary: all who wait go on. */
void streams_wake(struct streams *streams);

/* Those go on who have waited as long as they may. */
void streams_sweep(struct streams *streams);

/* All streams end: libmicrohttpd is about to stop, or who may ask has changed. */
void streams_end(struct streams *streams);

/* A request that waited has ended. */
void stream_forget(struct visit *visit);
