/*
 * A client of an etcd cluster by its v3 HTTP/JSON gateway (3.4 and 3.5), on a loop that the caller owns. Endpoints are
 * taken in turn: all requests go to one until a request there fails, then to the next. Each request has a connection of
 * its own, so that none is sent twice unknowingly. A request that was surely not carried out is tried at the other
 * endpoints within its time, once each; so is one that may have been, unless it is a transaction.
 *
 * With a user, the client authenticates when it has no token, and once more for a request whose token is refused. An
 * answer of a raft term below the highest seen of that cluster fails (ETCD_REASON_STALE). Whether a store has been
 * replaced in another way the caller learns from the header of each answer.
 *
 * Loop's thread. Callbacks may ask and cancel; they must not free the client.
 */
#pragma once

#include <uv.h>

#include "etcd/answer.h"
#include "etcd/body.h"

struct client;
struct client_call;

struct client_settings {
	const char *const *endpoints; /* "https://10.0.0.1:2379", at least one */
	size_t endpoint_count;
	const char *user;             /* NULL: no authentication */
	const char *password;
	const char *cafile;           /* NULL: the system's */
	const char *certfile;         /* NULL: none */
	const char *keyfile;
};

/* Copies the settings. */
struct client *client_new(uv_loop_t *loop, const struct client_settings *settings);

/* Drops requests that are under way, without a callback. NULL allowed; clears the pointer. */
void client_free(struct client **client);

/*
 * `done` is called once, never from inside this call, within about `timeout_ms`; the answer is the client's, for the
 * call only. It is not called after client_cancel(). The body is copied.
 */
struct client_call *client_ask(struct client *client, const struct body *body, int64_t timeout_ms,
			       void (*done)(void *data, struct answer *answer), void *data);

/*
 * Opens a stream (a watch) at the endpoint of this number, modulo their count; it lasts until it fails or is cancelled.
 * `more` is called when more of it has come, and takes whole lines from the front; then `done` with why it ended,
 * which is never ETCD_DONE. Both may cancel.
 */
struct client_call *client_open(struct client *client, size_t endpoint, const struct body *body,
				void (*more)(void *data, struct buf *lines),
				void (*done)(void *data, struct answer *answer), void *data);

/* Cancels a request, which may have been carried out, or still be. NULL allowed; clears the pointer. */
void client_cancel(struct client_call **call);

/* Drops the token, as when a stream refuses it: the next request authenticates. */
void client_drop_token(struct client *client);

/* Which endpoint is taken now; and the URL of an endpoint, modulo their count. */
size_t client_endpoint(const struct client *client);
const char *client_url(const struct client *client, size_t endpoint);
uv_loop_t *client_loop(const struct client *client);
