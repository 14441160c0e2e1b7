/* One HTTP request from its first line to the end of its answer. libmicrohttpd keeps it; window thread. */
#pragma once

#include <microhttpd.h>
#include <sys/queue.h>

#include "window/facts.h"
#include "window/pace.h"
#include "window/asking.h"
#include "window/waiting.h"

enum method { METHOD_GET, METHOD_HEAD, METHOD_OPTIONS };

/* What all requests share; the server's. */
struct visitors;
struct stream;

/* Who reads along at /events, or waits there. */
struct streams {
	TAILQ_HEAD(stream_list, stream) list;
	size_t count;
};

struct desk {
	struct facts facts;
	struct streams streams;
	struct waiting waiting; /* for the monitor's answers, */
	struct chain askings; /* to what was asked */
	void (*wake_monitor)(void *data);
	void *data; /* of this */
	struct visitors *visitors; /* the server's */
	struct pace near_pace;     /* of the search for names like the one that was asked for */
	bool shuts; /* libmicrohttpd is about to stop, and nobody may wait in it any more */
};

struct visit {
	struct desk *desk;
	struct MHD_Connection *connection;
	const char *path; /* libmicrohttpd's, unescaped */
	enum method method;
	bool answered; /* the monitor was asked, and has given its answer, or did not in time: */
	char *text;    /* NULL */
	struct stream *stream; /* of a request that waits, or waited, for events; NULL: it is none */
};
