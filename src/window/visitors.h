/*
 * Who is connected by HTTP, and who has to go: who has not sent a request in time (libmicrohttpd counts each byte as a
 * sign of life, so that a client with a byte a second would stay for ever), and who has asked nothing for longest when
 * another one comes and no place is free. Window thread.
 */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <sys/queue.h>

#define VISITORS_MOST 256
#define VISITORS_MANY 32 /* with more of them long answers are made in smaller parts, so that nobody waits for all others */
#define VISITORS_FIRST_MS 3000 /* for the first request */
#define VISITORS_NEXT_MS 10000 /* for each further one, or without one */
#define VISITORS_READ_MS 60000 /* to read an answer, but a stream; */
#define VISITORS_SLOW_MS 3000  /* when another one comes and has no place */

struct visitor {
	TAILQ_ENTRY(visitor) in_list;
	int fd;           /* libmicrohttpd's */
	bool is_local;    /* it came by a socket file */
	bool is_busy;     /* it waits for an answer, or reads one */
	bool is_stream;   /* the answer is one that has no end, or waits for news */
	bool has_asked;
	bool goes;        /* it was told to */
	int64_t since_ms; /* steady: it connected, its last request began, or its last answer ended */
};

TAILQ_HEAD(visitor_list, visitor);

struct visitors {
	struct visitor_list idle; /* who is not busy, the longest first */
	struct visitor_list busy; /* the others, the longest first */
	size_t count;
};

void visitors_init(struct visitors *visitors);

/* libmicrohttpd's notices (MHD_OPTION_NOTIFY_CONNECTION); `data`: the visitors. */
void visitors_notified(void *data, struct MHD_Connection *connection, void **context,
		       enum MHD_ConnectionNotificationCode code);

/* The one of this connection, libmicrohttpd's until the connection ends. */
struct visitor *visitors_of(struct MHD_Connection *connection);

/* It has sent a request; its answer has ended. */
void visitors_begin(struct visitors *visitors, struct visitor *visitor);
void visitors_end(struct visitors *visitors, struct visitor *visitor);

bool visitors_are_many(const struct visitors *visitors);

/* Ends connections that are late. */
void visitors_sweep(struct visitors *visitors);

/*
 * Whether the one that has come by `fd` may stay. When all places are taken another one is ended: who has never asked
 * goes first, since a crowd that only connects must not drive out a load balancer; then who has been idle for longest;
 * then who has been reading an answer for longest, and for VISITORS_SLOW_MS. When it is descriptors that are scarce
 * (descriptors_is_last()), who is idle and has asked stays, and the room is for who comes next. False: there is no room.
 */
bool visitors_make_room(struct visitors *visitors, int fd);
