#include "etcd/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "loop/clock.h"
#include "loop/timer.h"
#include "net/http.h"

#define LOGIN_MS 5000 /* time for the login of a stream, which has no deadline of its own */

struct client {
	uv_loop_t *loop;
	struct http *http;
	char **endpoints; /* without a slash at the end */
	size_t endpoint_count;
	size_t at;        /* the endpoint that is taken now */
	char *user;
	char *password;
	char *cafile;
	char *certfile;
	char *keyfile;
	char *token_line;       /* the HTTP header with the token; NULL: there is none */
	unsigned token_number;  /* counts tokens that were got or dropped */
	bool no_login;          /* etcd says that authentication is not enabled */
	struct client_call *login; /* the one under way; NULL: none */
	struct list calls;
	struct list waiting;    /* calls that wait for the login */
	struct list woken;      /* calls that have waited, and are being told how the login ended */
	uint64_t cluster_id;
	uint64_t raft_term;     /* the highest of that cluster */
};

struct client_call {
	struct client *client;
	enum body_kind kind;
	char *json;
	size_t json_len;
	int64_t deadline_ms;    /* steady; INT64_MAX: a stream */
	int64_t sent_ms;
	size_t endpoint;
	size_t tries;           /* how many are still allowed, this one included */
	bool logged_in;         /* we have authenticated for it already */
	unsigned token_number;  /* of the token with which it was sent */
	struct http_call *http; /* the one under way; NULL: none */
	struct timer *limit;    /* ends it in time while it waits for the login */
	void (*more)(void *data, struct buf *lines);
	void (*done)(void *data, struct answer *answer);
	void *data;
};

static void begin(struct client_call *call);

static void free_call(struct client_call *call)
{
	struct client *client = call->client;

	list_remove(&client->calls, call);
	list_remove(&client->waiting, call);
	list_remove(&client->woken, call);
	if (client->login == call)
		client->login = NULL;
	http_cancel(&call->http);
	timer_free(&call->limit);
	free(call->json);
	free(call);
}

/* Frees the call, then tells its owner, who may ask and cancel from there. */
static void end(struct client_call *call, struct answer *answer)
{
	void (*done)(void *data, struct answer *answer) = call->done;
	void *data = call->data;

	free_call(call);
	done(data, answer);
}

static int64_t left_ms(const struct client_call *call)
{
	return call->deadline_ms == INT64_MAX ? HTTP_ENDLESS : call->deadline_ms - clock_steady_ms();
}

static void turn_from(struct client *client, size_t endpoint)
{
	if (client->at == endpoint)
		client->at = (endpoint + 1) % client->endpoint_count;
}

/* Whether an answer comes from a term that is over; notes a newer one. */
static bool is_stale(struct client *client, const struct etcd_header *header)
{
	if (header->raft_term == 0)
		return false;
	if (header->cluster_id != client->cluster_id) {
		client->cluster_id = header->cluster_id;
		client->raft_term = 0;
	}
	if (header->raft_term < client->raft_term)
		return true;
	client->raft_term = header->raft_term;
	return false;
}

static void fail_by_transport(const struct client_call *call, struct answer *answer, const char *error,
			      const struct http_answer *came)
{
	const struct client *client = call->client;
	char *words = refusal_of_transport(error, came, client->endpoints[call->endpoint], client->certfile);

	if (came->reached)
		answer_fail(answer, ETCD_UNKNOWN, came->timed_out ? ETCD_REASON_TIMEOUT : ETCD_REASON_LOST, words);
	else
		answer_fail(answer, ETCD_AWAY, came->timed_out ? ETCD_REASON_TIMEOUT : ETCD_REASON_UNREACHED, words);
	free(words);
}

static void read_came(struct client_call *call, struct answer *answer, const char *error,
		      const struct http_answer *came)
{
	if (error != NULL)
		fail_by_transport(call, answer, error, came);
	else if (call->more != NULL && came->status == 200 && came->body.len == 0)
		answer_fail(answer, ETCD_AWAY, ETCD_REASON_LOST, "the stream has ended");
	else
		answer_read(answer, call->kind, came->status, came->body.data, came->body.len);
	answer->sent_ms = call->sent_ms;
	if (is_stale(call->client, &answer->header))
		answer_fail(answer, ETCD_UNKNOWN, ETCD_REASON_STALE, "the member is in a raft term that is over");
}

/* Whether it may be tried at another endpoint: it was not carried out, or does no harm when it is carried out twice. */
static bool may_repeat(const struct client_call *call, const struct answer *answer)
{
	return call->tries > 1 && left_ms(call) > 0 && (answer->outcome != ETCD_UNKNOWN || call->kind != BODY_TXN);
}

/* Whether another endpoint may do better. */
static bool blames_endpoint(const struct answer *answer)
{
	return answer->outcome == ETCD_AWAY || answer->outcome == ETCD_UNKNOWN || answer->reason == ETCD_REASON_NOT_ETCD;
}

static bool wants_login(const struct client_call *call, const struct answer *answer)
{
	return answer->reason == ETCD_REASON_LOGIN && call->client->user != NULL && !call->logged_in &&
	       call->kind != BODY_AUTHENTICATE && left_ms(call) > 0;
}

/* Decides what follows an attempt with this answer: a login, another endpoint, or the end of the call. */
static void judge(struct client_call *call, struct answer *answer)
{
	struct client *client = call->client;

	if (wants_login(call, answer)) {
		call->logged_in = true;
		if (call->token_number == client->token_number)
			client_drop_token(client); /* else there is a newer one already */
		begin(call);
	} else if (blames_endpoint(answer)) {
		turn_from(client, call->endpoint);
		if (may_repeat(call, answer)) {
			call->tries--;
			call->endpoint = client->at;
			begin(call);
		} else {
			end(call, answer);
		}
	} else {
		end(call, answer);
	}
}

static void on_http_done(void *data, const char *error, struct http_answer *came)
{
	struct client_call *call = data;
	struct answer answer = { 0 };

	call->http = NULL;
	read_came(call, &answer, error, came);
	judge(call, &answer);
	answer_free(&answer);
}

static void on_http_more(void *data, struct buf *body)
{
	struct client_call *call = data;

	call->more(call->data, body);
}

static void send_it(struct client_call *call)
{
	const struct client *client = call->client;
	const char *headers[3] = { "Content-Type: application/json", "Grpc-Metadata-hasleader: true" };
	char *url = mem_printf("%s%s", client->endpoints[call->endpoint], body_path(call->kind));
	struct http_order order = { .method = "POST", .url = url, .body = call->json, .body_len = call->json_len };

	order.headers = headers;
	order.header_count = 2;
	if (client->token_line != NULL && call->kind != BODY_AUTHENTICATE)
		headers[order.header_count++] = client->token_line;
	order.cafile = client->cafile;
	order.certfile = client->certfile;
	order.keyfile = client->keyfile;
	order.verify = true;
	order.direct = true;
	order.http_1 = true;
	order.timeout_ms = left_ms(call);
	if (call->more != NULL)
		order.connect_ms = LOGIN_MS;
	else if (call->tries > 1)
		order.connect_ms = order.timeout_ms / 2 + 1; /* the rest is left for another endpoint */
	order.more = call->more != NULL ? on_http_more : NULL;
	call->sent_ms = clock_steady_ms();
	call->token_number = client->token_number;
	call->http = http_start(client->http, &order, on_http_done, call);
	free(url);
}

static struct client_call *new_call(struct client *client, const struct body *body, int64_t timeout_ms,
				    void (*done)(void *data, struct answer *answer), void *data)
{
	struct client_call *call = mem_zalloc(1, sizeof(*call));

	call->client = client;
	call->kind = body->kind;
	call->json = body_json(body, &call->json_len);
	call->deadline_ms = timeout_ms == HTTP_ENDLESS ? INT64_MAX : clock_steady_ms() + timeout_ms;
	call->endpoint = client->at;
	call->tries = client->endpoint_count;
	call->done = done;
	call->data = data;
	list_add(&client->calls, call);
	return call;
}

/* Calls that wait go on with the token, or end as the login did: they were not sent, so nothing was carried out. */
static void on_login(void *data, struct answer *answer)
{
	struct client *client = data;
	bool goes_on = answer->outcome == ETCD_DONE || answer->reason == ETCD_REASON_NO_LOGIN;
	struct client_call *call;

	client->no_login = answer->reason == ETCD_REASON_NO_LOGIN;
	if (answer->outcome == ETCD_DONE) {
		client_drop_token(client);
		client->token_line = mem_printf("Authorization: %s", answer->token);
	}
	if (answer->outcome == ETCD_UNKNOWN)
		answer->outcome = ETCD_AWAY;
	client->woken = client->waiting;
	client->waiting = (struct list){ 0 };
	while ((call = list_shift(&client->woken)) != NULL) {
		timer_stop(call->limit);
		if (answer->reason == ETCD_REASON_LOGIN)
			call->logged_in = true;
		if (goes_on)
			begin(call);
		else
			judge(call, answer);
	}
	list_free(&client->woken);
}

/* Authenticates at the member that wants it, as not every member need know another one's token. */
static void start_login(struct client *client, const struct client_call *wanted_by)
{
	struct body body = { 0 };
	int64_t ms = left_ms(wanted_by);

	body_authenticate(&body, client->user, client->password);
	client->login = new_call(client, &body, ms == HTTP_ENDLESS ? LOGIN_MS : ms, on_login, client);
	client->login->endpoint = wanted_by->endpoint;
	client->login->tries = 1;
	body_free(&body);
	send_it(client->login);
}

static void on_limit(void *data)
{
	struct client_call *call = data;
	struct answer answer = { 0 };

	answer_fail(&answer, ETCD_AWAY, ETCD_REASON_TIMEOUT, "no login at etcd succeeded in time");
	answer.sent_ms = call->sent_ms;
	end(call, &answer);
	answer_free(&answer);
}

/* Begins an attempt, after a login where a token is needed. */
static void begin(struct client_call *call)
{
	struct client *client = call->client;
	int64_t ms = left_ms(call);

	if (client->user == NULL || client->no_login || client->token_line != NULL) {
		send_it(call);
		return;
	}
	list_add(&client->waiting, call);
	timer_set(&call->limit, client->loop, on_limit, call, ms == HTTP_ENDLESS ? LOGIN_MS : ms);
	if (client->login == NULL)
		start_login(client, call);
}

struct client_call *client_ask(struct client *client, const struct body *body, int64_t timeout_ms,
			       void (*done)(void *data, struct answer *answer), void *data)
{
	struct client_call *call = new_call(client, body, timeout_ms, done, data);

	begin(call);
	return call;
}

struct client_call *client_open(struct client *client, size_t endpoint, const struct body *body,
				void (*more)(void *data, struct buf *lines),
				void (*done)(void *data, struct answer *answer), void *data)
{
	struct client_call *call = new_call(client, body, HTTP_ENDLESS, done, data);

	call->endpoint = endpoint % client->endpoint_count;
	call->tries = 1;
	call->more = more;
	begin(call);
	return call;
}

void client_cancel(struct client_call **call_p)
{
	struct client_call *call = *call_p;

	*call_p = NULL;
	if (call != NULL)
		free_call(call);
}

void client_drop_token(struct client *client)
{
	free(client->token_line);
	client->token_line = NULL;
	client->token_number++;
	client->no_login = false;
}

struct client *client_new(uv_loop_t *loop, const struct client_settings *settings)
{
	struct client *client = mem_zalloc(1, sizeof(*client));

	client->loop = loop;
	client->http = http_new(loop);
	client->endpoints = mem_zalloc(settings->endpoint_count + 1, sizeof(*client->endpoints));
	client->endpoint_count = settings->endpoint_count;
	for (size_t i = 0; i < settings->endpoint_count; i++) {
		const char *url = settings->endpoints[i];
		size_t len = strlen(url);

		while (len > 0 && url[len - 1] == '/')
			len--;
		client->endpoints[i] = mem_strndup(url, len);
	}
	client->user = mem_strdup(settings->user);
	client->password = mem_strdup(settings->password != NULL ? settings->password : "");
	client->cafile = mem_strdup(settings->cafile);
	client->certfile = mem_strdup(settings->certfile);
	client->keyfile = mem_strdup(settings->keyfile);
	return client;
}

void client_free(struct client **client_p)
{
	struct client *client = *client_p;

	*client_p = NULL;
	if (client == NULL)
		return;
	for (size_t i = client->calls.count; i-- > 0;)
		free_call(client->calls.items[i]);
	list_free(&client->calls);
	list_free(&client->waiting);
	http_free(&client->http);
	client_drop_token(client);
	mem_free_strings(client->endpoints);
	free(client->user);
	free(client->password);
	free(client->cafile);
	free(client->certfile);
	free(client->keyfile);
	free(client);
}

size_t client_endpoint(const struct client *client)
{
	return client->at;
}

const char *client_url(const struct client *client, size_t endpoint)
{
	return client->endpoints[endpoint % client->endpoint_count];
}

uv_loop_t *client_loop(const struct client *client)
{
	return client->loop;
}
