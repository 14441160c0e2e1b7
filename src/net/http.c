#include "net/http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/mem.h"
#include "loop/timer.h"

struct http {
	uv_loop_t *loop;
	CURLM *multi;
	struct timer *timer; /* libcurl's */
	struct list calls;
	struct list fresh; /* calls whose body has grown and whose `more` is to be called */
};

struct http_call {
	struct http *http;
	CURL *easy;
	struct curl_slist *headers;
	char *body;
	struct http_answer answer;
	const char *refused; /* why we ended it ourselves; NULL: we did not */
	struct timer *later; /* delivers what went wrong in http_start() */
	char error[CURL_ERROR_SIZE];
	char too_large[48];  /* the error's text for a body of more than `body_bytes` */
	size_t body_bytes;
	bool secure;         /* the request goes over TLS */
	void (*more)(void *data, struct buf *body);
	void (*done)(void *data, const char *error, struct http_answer *answer);
	void *data;
};

/* A socket of libcurl's. Freed when libuv has closed the handle. */
struct http_socket {
	uv_poll_t handle;
	struct http *http; /* NULL: it is dropped */
	curl_socket_t fd;
};

const char *http_global_init(void)
{
	CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);

	return code == CURLE_OK ? NULL : curl_easy_strerror(code);
}

static void free_call(struct http_call *call)
{
	list_remove(&call->http->calls, call);
	list_remove(&call->http->fresh, call);
	if (call->easy != NULL) {
		(void)curl_multi_remove_handle(call->http->multi, call->easy);
		curl_easy_cleanup(call->easy);
	}
	timer_free(&call->later);
	curl_slist_free_all(call->headers);
	buf_free(&call->answer.head);
	buf_free(&call->answer.body);
	free(call->body);
	free(call);
}

/* Whether the connection stood, with TLS if asked for: only then libcurl has the time that its set-up took. */
static bool has_reached(struct http_call *call)
{
	curl_off_t time = 0;

	if (call->easy != NULL)
		(void)curl_easy_getinfo(call->easy, call->secure ? CURLINFO_APPCONNECT_TIME_T : CURLINFO_CONNECT_TIME_T, &time);
	return time > 0;
}

static void finish(struct http_call *call, CURLcode code)
{
	const char *error = NULL;

	call->answer.reached = has_reached(call);
	call->answer.timed_out = code == CURLE_OPERATION_TIMEDOUT;
	if (code != CURLE_OK && call->refused != NULL)
		error = call->refused;
	else if (code == CURLE_FILESIZE_EXCEEDED) /* curl 8.4 and later count the bytes, too, and have other words */
		error = call->too_large;
	else if (code != CURLE_OK)
		error = call->error[0] != '\0' ? call->error : curl_easy_strerror(code);
	else
		(void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &call->answer.status);
	call->done(call->data, error, &call->answer);
	free_call(call);
}

static void on_later(void *data)
{
	finish(data, CURLE_OUT_OF_MEMORY);
}

static void take_ended(struct http *http)
{
	const CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
		struct http_call *call = NULL;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
		finish(call, code);
	}
}

/* Calls `more` where it is due. This is done outside libcurl, in whose callbacks a request cannot be cancelled. */
static void tell_fresh(struct http *http)
{
	struct http_call *call;

	while ((call = list_shift(&http->fresh)) != NULL)
		call->more(call->data, &call->answer.body);
}

static void act(struct http *http, curl_socket_t fd, int events)
{
	int running;

	(void)curl_multi_socket_action(http->multi, fd, events, &running);
	tell_fresh(http);
	take_ended(http);
}

static void on_socket_ready(uv_poll_t *handle, int status, int events)
{
	const struct http_socket *socket = handle->data;
	int what = 0;

	if (socket->http == NULL)
		return;
	if (status < 0)
		what |= CURL_CSELECT_ERR;
	if (events & UV_READABLE)
		what |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		what |= CURL_CSELECT_OUT;
	act(socket->http, socket->fd, what);
}

static void on_socket_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void drop_socket(struct http_socket *socket)
{
	socket->http = NULL;
	uv_close((uv_handle_t *)&socket->handle, on_socket_closed);
}

static struct http_socket *watch_socket(struct http *http, curl_socket_t fd)
{
	struct http_socket *socket = mem_zalloc(1, sizeof(*socket));

	socket->http = http;
	socket->fd = fd;
	socket->handle.data = socket;
	if (uv_poll_init(http->loop, &socket->handle, fd) != 0) {
		free(socket);
		return NULL;
	}
	(void)curl_multi_assign(http->multi, fd, socket);
	return socket;
}

/* Called by libcurl, to say which sockets to watch and for what. */
static int on_watch(CURL *easy, curl_socket_t fd, int what, void *data, void *known)
{
	struct http *http = data;
	struct http_socket *socket = known;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (socket != NULL)
			drop_socket(socket);
		(void)curl_multi_assign(http->multi, fd, NULL);
		return 0;
	}
	if (socket == NULL)
		socket = watch_socket(http, fd);
	if (socket == NULL)
		return -1;
	if (what != CURL_POLL_OUT)
		events |= UV_READABLE;
	if (what != CURL_POLL_IN)
		events |= UV_WRITABLE;
	return uv_poll_start(&socket->handle, events, on_socket_ready) == 0 ? 0 : -1;
}

static int on_wait(CURLM *multi, long ms, void *data)
{
	const struct http *http = data;

	(void)multi;
	if (ms < 0)
		timer_stop(http->timer);
	else
		timer_start(http->timer, ms);
	return 0;
}

static void on_timer(void *data)
{
	act(data, CURL_SOCKET_TIMEOUT, 0);
}

static size_t take_body(char *bytes, size_t size, size_t count, void *data)
{
	struct http_call *call = data;

	if (call->answer.body.len + size * count > call->body_bytes) {
		call->refused = call->too_large;
		return 0;
	}
	if (call->more != NULL && !list_has(&call->http->fresh, call))
		list_add(&call->http->fresh, call);
	buf_add(&call->answer.body, bytes, size * count);
	return size * count;
}

static size_t take_head(char *bytes, size_t size, size_t count, void *data)
{
	struct http_call *call = data;
	size_t len = size * count;

	if (len >= 5 && strncasecmp(bytes, "HTTP/", 5) == 0)
		buf_clear(&call->answer.head); /* drops the headers of a redirect, or of a 1xx */
	if (call->answer.head.len + len > HTTP_HEAD_BYTES) {
		call->refused = "the headers are larger than 1 MiB";
		return 0;
	}
	buf_add(&call->answer.head, bytes, len);
	return len;
}

struct http *http_new(uv_loop_t *loop)
{
	struct http *http = mem_zalloc(1, sizeof(*http));

	http->loop = loop;
	http->timer = timer_new(loop, on_timer, http);
	http->multi = curl_multi_init();
	if (http->multi != NULL) {
		(void)curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_watch);
		(void)curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
		(void)curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_wait);
		(void)curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	}
	return http;
}

void http_free(struct http **http_p)
{
	struct http *http = *http_p;
	struct http_call *call;

	*http_p = NULL;
	if (http == NULL)
		return;
	while ((call = list_shift(&http->calls)) != NULL)
		free_call(call);
	list_free(&http->calls);
	list_free(&http->fresh);
	(void)curl_multi_cleanup(http->multi);
	timer_free(&http->timer);
	free(http);
}

/* Sets the method, the body and the headers. */
static void set_message(struct http_call *call, const struct http_order *order)
{
	CURL *easy = call->easy;

	call->headers = curl_slist_append(NULL, "Expect:"); /* so that libcurl does not wait for a 100 */
	for (size_t i = 0; i < order->header_count; i++)
		call->headers = curl_slist_append(call->headers, order->headers[i]);
	(void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
	if (order->body != NULL) {
		call->body = mem_strndup(order->body, order->body_len);
		(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body);
		(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
				       (curl_off_t)order->body_len);
	}
	if (strcasecmp(order->method, "HEAD") == 0)
		(void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, order->method);
}

static void set_times(CURL *easy, const struct http_order *order)
{
	if (order->timeout_ms == HTTP_ENDLESS) {
		(void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
		(void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 10L);
		(void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 5L);
	} else {
		(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, order->timeout_ms > 0 ? (long)order->timeout_ms : 1L);
	}
	if (order->connect_ms > 0)
		(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)order->connect_ms);
}

static void set_limits(struct http_call *call, const struct http_order *order)
{
	CURL *easy = call->easy;

	call->body_bytes = order->body_bytes > 0 ? order->body_bytes : HTTP_BODY_BYTES;
	(void)snprintf(call->too_large, sizeof(call->too_large), "the body is larger than %zu MiB", call->body_bytes >> 20);
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, order->redirects > 0 ? 1L : 0L);
	(void)curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)order->redirects);
	if (order->more == NULL) /* with `more` the whole body may be of any length */
		(void)curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)call->body_bytes);
	(void)curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* without it a look-up that timed out blocks */
	if (order->http_1)
		(void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	if (order->direct)
		(void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
}

static void set_tls(struct http_call *call, const struct http_order *order)
{
	CURL *easy = call->easy;

	call->secure = strncasecmp(order->url, "https:", 6) == 0;
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, order->verify ? 1L : 0L);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, order->verify ? 2L : 0L);
	if (order->cafile != NULL)
		(void)curl_easy_setopt(easy, CURLOPT_CAINFO, order->cafile);
	if (order->certfile != NULL)
		(void)curl_easy_setopt(easy, CURLOPT_SSLCERT, order->certfile);
	if (order->keyfile != NULL)
		(void)curl_easy_setopt(easy, CURLOPT_SSLKEY, order->keyfile);
}

struct http_call *http_start(struct http *http, const struct http_order *order,
			     void (*done)(void *data, const char *error,
					  struct http_answer *answer),
			     void *data)
{
	struct http_call *call = mem_zalloc(1, sizeof(*call));

	call->http = http;
	call->done = done;
	call->data = data;
	call->more = order->more;
	list_add(&http->calls, call);
	call->later = timer_new(http->loop, on_later, call);
	call->easy = curl_easy_init();
	if (call->easy == NULL) {
		timer_start(call->later, 0);
		return call;
	}
	set_message(call, order);
	set_limits(call, order);
	set_times(call->easy, order);
	set_tls(call, order);
	(void)curl_easy_setopt(call->easy, CURLOPT_URL, order->url);
	(void)curl_easy_setopt(call->easy, CURLOPT_USERAGENT, "plusmoin/" PLUSMOIN_VERSION);
	(void)curl_easy_setopt(call->easy, CURLOPT_ERRORBUFFER, call->error);
	(void)curl_easy_setopt(call->easy, CURLOPT_PRIVATE, call);
	(void)curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, take_body);
	(void)curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call);
	(void)curl_easy_setopt(call->easy, CURLOPT_HEADERFUNCTION, take_head);
	(void)curl_easy_setopt(call->easy, CURLOPT_HEADERDATA, call);
	if (curl_multi_add_handle(http->multi, call->easy) != CURLM_OK)
		timer_start(call->later, 0);
	return call;
}

void http_cancel(struct http_call **call_p)
{
	struct http_call *call = *call_p;

	*call_p = NULL;
	if (call != NULL)
		free_call(call);
}
