/*
 * HTTP requests on a loop (pm.http): libcurl's multi interface. Names are resolved in
 * libcurl's own threads. Nothing is kept between requests. Loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"

#define HTTP_BODY_BYTES ((size_t)16 << 20) /* as a query's rows: more is an error */
#define HTTP_HEAD_BYTES ((size_t)1 << 20)

struct http_order {
	const char *method;
	const char *url;
	const char *body; /* NULL: none */
	size_t body_len;
	const char *const *headers; /* "Name: value" */
	size_t header_count;
	const char *cafile; /* NULL: the system's */
	bool verify;        /* certificate and name */
	int redirects;      /* how many are followed */
	int64_t timeout_ms; /* for all of it */
};

struct http_answer {
	long status;
	struct buf head; /* the lines of the last answer's headers, as they came */
	struct buf body;
};

struct http;
struct http_call;

/* Once, before the first thread; what is wrong, or NULL. */
const char *http_global_init(void);

struct http *http_new(uv_loop_t *loop);

/* Drops what is under way. NULL allowed; clears the pointer. */
void http_free(struct http **http);

/*
 * `done` is called once, never from inside this call: with an error's text, or with the
 * answer, for the call only. Not after http_cancel(). Copies what it needs of the order.
 */
struct http_call *http_start(struct http *http, const struct http_order *order,
			     void (*done)(void *data, const char *error,
					  struct http_answer *answer),
			     void *data);

/* NULL allowed; clears the pointer. */
void http_cancel(struct http_call **call);
