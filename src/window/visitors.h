/*
 * The visitors are the HTTP connections. One that does not send a request in time is ended: libmicrohttpd alone would
 * keep a client that sends a byte a second for ever. When another client comes and all places are taken, one of them
 * is ended, too. Window thread.
 */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <sys/queue.h>

#define VISITORS_MOST 256
#define VISITORS_MANY 32 /* with more, long answers are made in smaller parts, so that each gets its turn soon */
#define VISITORS_FIRST_MS 3000 /* that a client has to send its first request */
#define VISITORS_NEXT_MS 10000 /* that a client has to send each further request */
#define VISITORS_READ_MS 60000 /* that a client has to read an answer; a stream has no limit */
#define VISITORS_SLOW_MS 3000  /* the same when another client needs the place */

struct visitor {
	TAILQ_ENTRY(visitor) in_list;
	int fd;           /* libmicrohttpd's */
	bool is_local;    /* it came by a socket file */
	bool is_busy;     /* it waits for an answer, or reads one */
	bool is_stream;   /* it reads a stream, or waits for events */
	bool has_asked;   /* it has sent a request */
	bool goes;        /* its connection was shut down */
	int64_t since_ms; /* steady time at which it connected, its last request began, or its last answer ended */
};

TAILQ_HEAD(visitor_list, visitor);

struct visitors {
	struct visitor_list idle; /* those that are not busy; the first has been idle for longest */
	struct visitor_list busy; /* the others; the first has been busy for longest */
	size_t count;
};

void visitors_init(struct visitors *visitors);

/* libmicrohttpd's notices (MHD_OPTION_NOTIFY_CONNECTION); `data`: the visitors. */
void visitors_notified(void *data, struct MHD_Connection *connection, void **context,
		       enum MHD_ConnectionNotificationCode code);

/* Returns the visitor of a connection; libmicrohttpd keeps it until the connection ends. */
struct visitor *visitors_of(struct MHD_Connection *connection);

/* Note that the visitor has sent a request, and that its answer has ended. */
void visitors_begin(struct visitors *visitors, struct visitor *visitor);
void visitors_end(struct visitors *visitors, struct visitor *visitor);

bool visitors_are_many(const struct visitors *visitors);

/* Ends the connections that are over their time. */
void visitors_sweep(struct visitors *visitors);

/*
 * Makes room for a new connection `fd`. Returns false when it must be refused. When all places are taken, another one
 * is ended: first one that has never sent a request, so that a crowd that only connects does not drive out a load
 * balancer; then the one that has been idle for longest; then the one that has read an answer for longest, if for
 * more than VISITORS_SLOW_MS. When descriptors are scarce (descriptors_is_last()), an idle one that has sent requests
 * stays, and `fd` itself is refused: the room is for the next connection.
 */
bool visitors_make_room(struct visitors *visitors, int fd);
