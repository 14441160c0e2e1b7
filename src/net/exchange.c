#include "net/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/mem.h"
#include "loop/clock.h"
#include "loop/timer.h"

/* What libuv still uses after the exchange is over. Freed when it is closed. */
struct wire {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	};
	uv_connect_t connect;
	uv_write_t write;
	uv_shutdown_t shutdown;
	char *data; /* what is sent: libuv reads it until the wire is closed */
	size_t len;
	struct exchange *exchange; /* NULL: it is over */
	char bytes[65536];
};

struct exchange {
	uv_loop_t *loop;
	char *path;
	int port;
	struct lookup *lookup;
	struct addresses addresses;
	size_t next;
	struct wire *wire;
	char *data;
	size_t len;
	struct buf answer;
	int64_t timeout_ms;
	int64_t until_ms;
	struct timer *deadline; /* of the whole exchange */
	struct timer *share;    /* the present address's part of the time; also delivers a failure met at the start */
	int error;              /* of the last address that was tried */
	void (*done)(void *data, const char *error, struct buf *answer);
	void *user;
};

static void try_next(struct exchange *exchange);

static void on_wire_closed(uv_handle_t *handle)
{
	struct wire *wire = handle->data;

	free(wire->data);
	free(wire);
}

static void drop_wire(struct exchange *exchange)
{
	if (exchange->wire == NULL)
		return;
	exchange->wire->exchange = NULL;
	uv_close(&exchange->wire->handle, on_wire_closed);
	exchange->wire = NULL;
}

static void finish(struct exchange *exchange, const char *error)
{
	void (*done)(void *, const char *, struct buf *) = exchange->done;
	void *user = exchange->user;
	struct buf answer = exchange->answer;

	exchange->answer = (struct buf){ 0 };
	exchange_cancel(&exchange);
	done(user, error, &answer);
	buf_free(&answer);
}

static void fail(struct exchange *exchange, int error)
{
	char text[128];

	finish(exchange, uv_strerror_r(error, text, sizeof(text)));
}

static void on_deadline(void *data)
{
	struct exchange *exchange = data;
	char text[96];

	(void)snprintf(text, sizeof(text), "%s within %g s",
		       exchange->answer.len > 0 ? "the answer did not end" : "no answer",
		       (double)exchange->timeout_ms / 1000.0);
	finish(exchange, text);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *out)
{
	struct wire *wire = handle->data;

	(void)size;
	*out = uv_buf_init(wire->bytes, sizeof(wire->bytes));
}

/* libuv reports a reset that follows the last bytes as their end, so the socket is asked for its error. */
static void end_of_answer(struct exchange *exchange)
{
	uv_os_fd_t fd;
	int error = 0;
	socklen_t len = sizeof(error);

	if (uv_fileno(&exchange->wire->handle, &fd) == 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error != 0)
		fail(exchange, uv_translate_sys_error(error));
	else
		finish(exchange, NULL);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
	struct wire *wire = stream->data;
	struct exchange *exchange = wire->exchange;

	if (exchange == NULL || n == 0)
		return;
	if (n == UV_EOF) {
		end_of_answer(exchange);
	} else if (n < 0) {
		fail(exchange, (int)n);
	} else {
		buf_add(&exchange->answer, bytes->base, (size_t)n);
		if (exchange->answer.len > EXCHANGE_BYTES)
			finish(exchange, "the answer is larger than 16 MiB");
	}
}

static void on_written(uv_write_t *request, int status)
{
	struct wire *wire = request->handle->data;

	/* a program may answer and close without reading all: then its answer counts, which on_read() takes */
	if (wire->exchange != NULL && status != 0 && status != UV_EPIPE && status != UV_ECONNRESET)
		fail(wire->exchange, status);
}

static void on_shut(uv_shutdown_t *request, int status)
{
	(void)request;
	(void)status;
}

static void talk(struct wire *wire)
{
	struct exchange *exchange = wire->exchange;
	uv_buf_t data = uv_buf_init(wire->data, (unsigned)wire->len);
	int error = uv_read_start(&wire->stream, on_alloc, on_read);

	if (error == 0 && wire->len > 0)
		error = uv_write(&wire->write, &wire->stream, &data, 1, on_written);
	if (error == 0)
		error = uv_shutdown(&wire->shutdown, &wire->stream, on_shut);
	if (error != 0)
		fail(exchange, error);
}

static void failed_to_connect(struct exchange *exchange, int error)
{
	drop_wire(exchange);
	exchange->error = error;
	if (exchange->next < exchange->addresses.count)
		try_next(exchange);
	else
		fail(exchange, error);
}

static void on_connected(uv_connect_t *request, int status)
{
	struct wire *wire = request->handle->data;

	if (wire->exchange == NULL)
		return;
	timer_stop(wire->exchange->share);
	if (status == 0)
		talk(wire);
	else
		failed_to_connect(wire->exchange, status);
}

/* Called when the present address has had its share of the time, or could not even be tried. */
static void on_share_over(void *data)
{
	struct exchange *exchange = data;

	failed_to_connect(exchange, exchange->error != 0 ? exchange->error : UV_ETIMEDOUT);
}

static struct wire *new_wire(struct exchange *exchange)
{
	struct wire *wire = mem_zalloc(1, sizeof(*wire));

	wire->exchange = exchange;
	wire->data = mem_strndup(exchange->data, exchange->len);
	wire->len = exchange->len;
	exchange->wire = wire;
	return wire;
}

static int connect_tcp(struct exchange *exchange, const char *address)
{
	struct sockaddr_storage to;
	struct wire *wire = new_wire(exchange);
	int error = uv_tcp_init(exchange->loop, &wire->tcp);

	wire->handle.data = wire;
	if (error == 0 && uv_ip4_addr(address, exchange->port, (struct sockaddr_in *)&to) != 0)
		error = uv_ip6_addr(address, exchange->port, (struct sockaddr_in6 *)&to);
	if (error == 0)
		error = uv_tcp_connect(&wire->connect, &wire->tcp, (struct sockaddr *)&to,
				       on_connected);
	return error;
}

static int connect_unix(struct exchange *exchange)
{
	struct wire *wire = new_wire(exchange);
	int error = uv_pipe_init(exchange->loop, &wire->pipe, 0);

	wire->handle.data = wire;
	if (error == 0 && strlen(exchange->path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		error = UV_ENAMETOOLONG;
	if (error == 0)
		uv_pipe_connect(&wire->connect, &wire->pipe, exchange->path, on_connected);
	return error;
}

static void try_next(struct exchange *exchange)
{
	int64_t left_ms = exchange->until_ms - clock_steady_ms();
	int64_t share = exchange->addresses.count > exchange->next
				? (int64_t)(exchange->addresses.count - exchange->next)
				: 1;

	exchange->error = exchange->path != NULL
				  ? connect_unix(exchange)
				  : connect_tcp(exchange, exchange->addresses.text[exchange->next++]);
	if (exchange->error != 0)
		timer_start(exchange->share, 0);
	else if (share > 1) /* the last address has all the time that is left */
		timer_start(exchange->share, left_ms > share ? left_ms / share : 1);
}

static void on_found(void *data, const struct addresses *addresses,
		     const struct lookup_failure *failure)
{
	struct exchange *exchange = data;

	exchange->lookup = NULL;
	if (addresses == NULL) {
		finish(exchange, failure->message);
		return;
	}
	exchange->addresses = *addresses;
	try_next(exchange);
}

struct exchange *exchange_start(uv_loop_t *loop, struct resolver *resolver,
				const struct exchange_order *order,
				void (*done)(void *data, const char *error, struct buf *answer),
				void *data)
{
	struct exchange *exchange = mem_zalloc(1, sizeof(*exchange));

	exchange->loop = loop;
	exchange->path = mem_strdup(order->path);
	exchange->port = order->port;
	exchange->data = mem_strndup(order->data, order->len);
	exchange->len = order->len;
	exchange->timeout_ms = order->timeout_ms > 0 ? order->timeout_ms : 1;
	exchange->until_ms = clock_steady_ms() + exchange->timeout_ms;
	exchange->deadline = timer_new(loop, on_deadline, exchange);
	exchange->share = timer_new(loop, on_share_over, exchange);
	exchange->done = done;
	exchange->user = data;
	timer_start(exchange->deadline, exchange->timeout_ms);
	if (order->path != NULL || addresses_take_numeric(&exchange->addresses, order->host))
		try_next(exchange);
	else
		exchange->lookup = lookup_start(resolver, order->host, RESOLVE_PATIENCE_MS, on_found, exchange);
	return exchange;
}

void exchange_cancel(struct exchange **exchange_p)
{
	struct exchange *exchange = *exchange_p;

	*exchange_p = NULL;
	if (exchange == NULL)
		return;
	lookup_cancel(&exchange->lookup);
	drop_wire(exchange);
	timer_free(&exchange->deadline);
	timer_free(&exchange->share);
	buf_free(&exchange->answer);
	free(exchange->path);
	free(exchange->data);
	free(exchange);
}
