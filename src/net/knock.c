#include "net/knock.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "loop/timer.h"

/* The part that libuv uses. It lives until its handle is closed, which may be after the knock has ended. */
struct tap {
	uv_tcp_t tcp;
	uv_connect_t connect;
	struct knock *knock; /* NULL: it has ended */
};

struct knock {
	uv_loop_t *loop;
	int port;
	struct lookup *lookup;
	struct tap *tap;
	struct timer *later; /* delivers an answer that is known inside knock_start() */
	enum knock_answer answer;
	void (*done)(void *data, enum knock_answer answer);
	void *data;
};

static void on_tap_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void finish(struct knock *knock, enum knock_answer answer)
{
	void (*done)(void *, enum knock_answer) = knock->done;
	void *data = knock->data;

	knock_cancel(&knock);
	done(data, answer);
}

static void on_later(void *data)
{
	struct knock *knock = data;

	finish(knock, knock->answer);
}

static enum knock_answer answer_of(int status)
{
	switch (status) {
	case 0:
	case UV_ECONNREFUSED:
	case UV_ECONNRESET:
		return KNOCK_ANSWERED;
	case UV_EMFILE:
	case UV_ENFILE:
	case UV_ENOMEM:
	case UV_ENOBUFS:
	case UV_EADDRNOTAVAIL:
		return KNOCK_UNABLE;
	default:
		return KNOCK_SILENT;
	}
}

static void on_connected(uv_connect_t *connect, int status)
{
	const struct tap *tap = connect->data;

	if (tap->knock != NULL)
		finish(tap->knock, answer_of(status));
}

static int reach(struct knock *knock, const char *address)
{
	struct sockaddr_storage to;
	struct tap *tap = mem_zalloc(1, sizeof(*tap));
	int error = strchr(address, ':') != NULL
			    ? uv_ip6_addr(address, knock->port, (struct sockaddr_in6 *)&to)
			    : uv_ip4_addr(address, knock->port, (struct sockaddr_in *)&to);

	if (error == 0)
		error = uv_tcp_init(knock->loop, &tap->tcp);
	if (error != 0) {
		free(tap);
		return error;
	}
	tap->tcp.data = tap;
	tap->connect.data = tap;
	tap->knock = knock;
	knock->tap = tap;
	return uv_tcp_connect(&tap->connect, &tap->tcp, (const struct sockaddr *)&to, on_connected);
}

static void knock_at(struct knock *knock, const char *address)
{
	int error = reach(knock, address);

	if (error == 0)
		return;
	knock->answer = answer_of(error);
	timer_start(knock->later, 0);
}

static void on_found(void *data, const struct addresses *addresses, const struct lookup_failure *failure)
{
	struct knock *knock = data;

	knock->lookup = NULL;
	if (addresses != NULL)
		knock_at(knock, addresses->text[0]);
	else
		finish(knock, failure->own_fault ? KNOCK_UNABLE : KNOCK_SILENT);
}

struct knock *knock_start(uv_loop_t *loop, struct resolver *resolver, const char *host, int port,
			  void (*done)(void *data, enum knock_answer answer), void *data)
{
	struct knock *knock = mem_zalloc(1, sizeof(*knock));
	struct addresses addresses = { .count = 0 };

	knock->loop = loop;
	knock->port = port;
	knock->done = done;
	knock->data = data;
	knock->later = timer_new(loop, on_later, knock);
	if (addresses_take_numeric(&addresses, host))
		knock_at(knock, addresses.text[0]);
	else
		knock->lookup = lookup_start(resolver, host, RESOLVE_PATIENCE_MS, on_found, knock);
	return knock;
}

void knock_cancel(struct knock **knock_p)
{
	struct knock *knock = *knock_p;

	*knock_p = NULL;
	if (knock == NULL)
		return;
	lookup_cancel(&knock->lookup);
	timer_free(&knock->later);
	if (knock->tap != NULL) {
		knock->tap->knock = NULL;
		uv_close((uv_handle_t *)&knock->tap->tcp, on_tap_closed);
	}
	free(knock);
}
