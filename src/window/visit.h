/*
 * A visit is one HTTP request, from its first line to the end of its answer; libmicrohttpd keeps it. The desk is what
 * all requests share. Window thread.
 */
#pragma once

#include <microhttpd.h>
#include <sys/queue.h>

#include "window/facts.h"
#include "window/pace.h"
#include "window/asking.h"
#include "window/waiting.h"

enum method { METHOD_GET, METHOD_HEAD, METHOD_OPTIONS };

struct visitors;
struct stream;

/* The connections that read /events, or wait there (stream.h). */
struct streams {
	TAILQ_HEAD(stream_list, stream) list;
	size_t count;
};

/* The server owns it. */
struct desk {
	struct facts facts;
	struct streams streams;
	struct waiting waiting; /* requests that wait for the monitor's answer */
	struct chain askings;   /* what the monitor is asked (asking.h) */
	void (*wake_monitor)(void *data);
	void *data; /* argument of wake_monitor */
	struct visitors *visitors; /* the server's */
	struct pace near_pace;     /* limits the searches for names that are similar to an unknown one */
	bool shuts; /* libmicrohttpd is about to stop, so no request may wait any more */
};

struct visit {
	struct desk *desk;
	struct MHD_Connection *connection;
	const char *path; /* libmicrohttpd's, unescaped */
	enum method method;
	bool answered; /* the monitor was asked, and has answered or was too late */
	char *text;    /* the monitor's answer; NULL: none came in time */
	struct stream *stream; /* of a request that waits, or waited, for events; NULL: another request */
};
