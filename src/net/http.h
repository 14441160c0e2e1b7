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

#define HTTP_BODY_BYTES ((size_t)16 << 20) /* the longest body, as for the rows of a query; a longer one is an error */
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
	const char *certfile; /* this client's certificate, PEM; NULL: none */
	const char *keyfile;  /* of certfile; NULL: certfile holds it */
	bool verify;          /* the server's certificate and name are verified */
	bool direct;          /* no proxy is used, whatever the environment says */
	bool http_1;          /* HTTP/1.1 is used, because an HTTP/2 server may ask libcurl to send a request again */
	int redirects;        /* how many are followed */
	int64_t timeout_ms;   /* for the whole request; HTTP_ENDLESS: TCP keepalives find out whether the server is gone */
	int64_t connect_ms;   /* until the connection stands, with TLS; 0: timeout_ms alone bounds that */
	size_t body_bytes;    /* more bytes of the body than this that `more` has not taken are an error; 0: HTTP_BODY_BYTES */
	/*
	 * Called, outside libcurl, whenever more of the body has come: it takes what it wants from the front
	 * (buf_drop()), and may cancel. NULL: the body is gathered for `done`.
	 */
	void (*more)(void *data, struct buf *body);
};

struct http_answer {
	long status;
	bool timed_out;  /* the error is that its time was over */
	bool reached;    /* a connection stood, with TLS where it is asked for: the request may have been carried out */
	struct buf head; /* the header lines of the last answer, as they came */
	struct buf body; /* what came of it, also after an error */
};

struct http;
struct http_call;

/* Called once, before the first thread. Returns what is wrong, or NULL. */
const char *http_global_init(void);

struct http *http_new(uv_loop_t *loop);

/* Drops all calls that are under way; not to be called from a call's callback. NULL allowed; clears the pointer. */
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
