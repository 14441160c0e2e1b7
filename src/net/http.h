/*
 * HTTP requests on a loop (pm.http, etcd): libcurl's multi interface. Names are resolved in
 * libcurl's own threads. Nothing is kept between requests: each has a connection of its own,
 * so that libcurl never sends one twice by itself. Loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"

#define HTTP_BODY_BYTES ((size_t)16 << 20) /* as a query's rows: more is an error */
#define HTTP_HEAD_BYTES ((size_t)1 << 20)
#define HTTP_ENDLESS INT64_MAX /* a request that lasts until one side ends it */

struct http_order {
	const char *method;
	const char *url;
	const char *body; /* NULL: none */
	size_t body_len;
	const char *const *headers; /* "Name: value" */
	size_t header_count;
	const char *cafile;   /* NULL: the system's */
	const char *certfile; /* this client's, PEM; NULL: none */
	const char *keyfile;  /* of certfile; NULL: certfile holds it */
	bool verify;          /* certificate and name */
	bool direct;          /* by no proxy, whatever the environment says */
	bool http_1;          /* by HTTP/1.1: a server of HTTP/2 may ask libcurl to send a request again */
	int redirects;        /* how many are followed */
	int64_t timeout_ms;   /* for all of it, or HTTP_ENDLESS: then TCP looks whether the other side lives */
	int64_t connect_ms;   /* until the connection stands, TLS and all; 0: timeout_ms alone bounds that */
	size_t body_bytes;    /* more in the body that nobody has taken are an error; 0: HTTP_BODY_BYTES */
	/*
	 * Called whenever more of the body has come, outside libcurl: it takes what it wants from the front
	 * (buf_drop()), and may cancel. NULL: the body is gathered for `done`.
	 */
	void (*more)(void *data, struct buf *body);
};

struct http_answer {
	long status;
	bool timed_out;  /* the error is that its time was over */
	bool reached;    /* a connection stood, with TLS where it is asked for: the request may have been carried out */
	struct buf head; /* the lines of the last answer's headers, as they came */
	struct buf body; /* also after an error */
};

struct http;
struct http_call;

/* Once, before the first thread; what is wrong, or NULL. */
const char *http_global_init(void);

struct http *http_new(uv_loop_t *loop);

/* Drops what is under way. Not from a callback of a call's. NULL allowed; clears the pointer. */
void http_free(struct http **http);

/*
 * `done` is called once, never from inside this call: with an error's text, or with the
 * answer, for the call only (after an error it holds what has come, and no status). Not
 * after http_cancel(). Copies what it needs of the order.
 */
struct http_call *http_start(struct http *http, const struct http_order *order,
			     void (*done)(void *data, const char *error,
					  struct http_answer *answer),
			     void *data);

/* NULL allowed; clears the pointer. */
void http_cancel(struct http_call **call);
