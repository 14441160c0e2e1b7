#include "pg/drain.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "loop/timer.h"

struct drain {
	uv_loop_t *loop;
	struct list sockets; /* oldest first */
	struct list closing; /* PGconn to be closed: the first `closed` of them are */
	size_t closed;
	size_t left; /* how many may still be closed in this turn */
	struct timer *turn;
};

struct drained {
	uv_poll_t handle;
	struct drain *drain; /* NULL: it is freed */
	struct timer *limit;
	int fd;
};

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void end(struct drained *socket)
{
	if (socket->drain != NULL)
		list_remove(&socket->drain->sockets, socket);
	timer_free(&socket->limit);
	uv_close((uv_handle_t *)&socket->handle, on_closed); /* libuv does not watch it from here on */
	close(socket->fd);
}

/* Reads what has come; true while the server may send more. */
static bool throw_away(int fd)
{
	char bytes[16384];
	ssize_t n;

	do {
		n = read(fd, bytes, sizeof(bytes));
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 && errno == EAGAIN;
}

static void on_ready(uv_poll_t *handle, int status, int events)
{
	struct drained *socket = handle->data;

	(void)events;
	if (status != 0 || !throw_away(socket->fd))
		end(socket);
}

static void on_limit(void *data)
{
	end(data);
}

static void close_next(struct drain *drain)
{
	PQfinish(drain->closing.items[drain->closed++]);
	if (drain->closed == drain->closing.count)
		drain->closed = drain->closing.count = 0;
}

static void on_turn(void *data)
{
	struct drain *drain = data;

	drain->left = DRAIN_CLOSES_A_TURN;
	for (; drain->left > 0 && drain->closing.count > 0; drain->left--)
		close_next(drain);
	if (drain->left < DRAIN_CLOSES_A_TURN)
		timer_start(drain->turn, 1);
}

void drain_finish(struct drain *drain, PGconn *pg)
{
	if (drain->left == DRAIN_CLOSES_A_TURN)
		timer_start(drain->turn, 1);
	if (drain->left == 0) {
		list_add(&drain->closing, pg);
		return;
	}
	drain->left--;
	PQfinish(pg);
}

struct drain *drain_new(uv_loop_t *loop)
{
	struct drain *drain = mem_zalloc(1, sizeof(*drain));

	drain->loop = loop;
	drain->left = DRAIN_CLOSES_A_TURN;
	drain->turn = timer_new(loop, on_turn, drain);
	return drain;
}

void drain_take(struct drain *drain, int fd)
{
	struct drained *socket = mem_zalloc(1, sizeof(*socket));

	if (uv_poll_init(drain->loop, &socket->handle, fd) != 0) {
		close(fd);
		free(socket);
		return;
	}
	socket->handle.data = socket;
	socket->fd = fd;
	socket->drain = drain;
	socket->limit = timer_new(drain->loop, on_limit, socket);
	timer_start(socket->limit, DRAIN_MS);
	list_add(&drain->sockets, socket);
	if (uv_poll_start(&socket->handle, UV_READABLE, on_ready) != 0)
		end(socket);
	else if (drain->sockets.count > DRAIN_SOCKETS)
		end(drain->sockets.items[0]);
}

void drain_free(struct drain **drain_p)
{
	struct drain *drain = *drain_p;
	struct drained *socket;

	*drain_p = NULL;
	if (drain == NULL)
		return;
	while ((socket = list_shift(&drain->sockets)) != NULL) {
		socket->drain = NULL;
		timer_start(socket->limit, DRAIN_END_MS);
	}
	list_free(&drain->sockets);
	while (drain->closing.count > 0)
		close_next(drain);
	list_free(&drain->closing);
	timer_free(&drain->turn);
	free(drain);
}
