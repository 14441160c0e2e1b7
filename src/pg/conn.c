#include "pg/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "loop/timer.h"
#include "net/tcp.h"
#include "pg/goodbye.h"
#include "pg/login.h"

#define VERSION_MAX 10000000 /* 999.9999 */

enum conn_state { CONN_CONNECTING, CONN_IDLE, CONN_BUSY, CONN_DEAD };

/* A watcher outlives its connection until libuv has closed it. */
struct watcher {
	uv_poll_t handle;
	struct conn *conn; /* NULL: it is gone, or has another watcher */
};

struct conn {
	uv_loop_t *loop;
	struct login *login; /* while it connects; then NULL */
	PGconn *pg;          /* once it is connected; NULL before */
	struct watcher *watcher;
	int watched; /* uv_poll events */
	struct conn_events events;
	void *data;
	enum conn_state state;
	struct batch batch;
	bool asked; /* conn_ask() is under way, no batch */
	bool reached; /* TCP has answered */
	struct goodbye goodbye;
	struct timer *later; /* delivers a failure that conn_send() met; NULL: it met none */
	unsigned depth;      /* callbacks under way */
	bool closed;
};

static void on_ready(uv_poll_t *handle, int status, int events);

static void on_watcher_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void drop_watcher(struct conn *conn)
{
	if (conn->watcher == NULL)
		return;
	conn->watcher->conn = NULL;
	uv_close((uv_handle_t *)&conn->watcher->handle, on_watcher_closed);
	conn->watcher = NULL;
}

/* The PGconn, which this thread may use now; NULL while a step of its login is under way. */
static PGconn *present_pg(const struct conn *conn)
{
	return conn->login != NULL ? login_pg(conn->login) : conn->pg;
}

/* Watches the connection's present descriptor; false when that is impossible. */
static bool watch(struct conn *conn, int events)
{
	int fd = PQsocket(present_pg(conn));

	if (conn->watcher == NULL) {
		struct watcher *watcher;

		if (fd < 0)
			return false;
		watcher = mem_zalloc(1, sizeof(*watcher));
		watcher->handle.data = watcher;
		watcher->conn = conn;
		if (uv_poll_init(conn->loop, &watcher->handle, fd) != 0) {
			free(watcher);
			return false;
		}
		conn->watcher = watcher;
		conn->watched = 0;
	}
	if (conn->watched == events)
		return true;
	conn->watched = events;
	return uv_poll_start(&conn->watcher->handle, events, on_ready) == 0;
}

static void on_notice(void *data, const PGresult *result)
{
	struct conn *conn = data;

	goodbye_take(&conn->goodbye, result);
}

static void finish(struct conn *conn)
{
	login_leave(&conn->login, NULL);
	PQfinish(conn->pg);
	timer_free(&conn->later);
	goodbye_end(&conn->goodbye);
	free(conn);
}

static void enter(struct conn *conn)
{
	conn->depth++;
}

/* False when the connection was closed meanwhile and is gone now. */
static bool leave(struct conn *conn)
{
	conn->depth--;
	if (!conn->closed)
		return true;
	if (conn->depth == 0)
		finish(conn);
	return false;
}

static void fail(struct conn *conn)
{
	struct evidence evidence;

	if (conn->state == CONN_DEAD)
		return;
	drop_watcher(conn);
	if (conn->state == CONN_CONNECTING) {
		login_explain(conn->login, &evidence);
	} else {
		evidence_of_break(&evidence, conn->goodbye.sqlstate, conn->goodbye.words,
				  PQerrorMessage(conn->pg));
		evidence.going = conn->goodbye.going;
	}
	conn->state = CONN_DEAD;
	conn->events.failed(conn->data, &evidence);
}

static void take_login(struct conn *conn)
{
	conn->pg = login_take(&conn->login);
	PQsetNoticeReceiver(conn->pg, on_notice, conn);
	conn->state = CONN_IDLE;
	conn->events.connected(conn->data);
}

static void on_stepped(void *data, PostgresPollingStatusType next)
{
	struct conn *conn = data;
	bool well = true;

	enter(conn);
	conn->reached = conn->reached || (next != PGRES_POLLING_FAILED &&
					  PQstatus(login_pg(conn->login)) != CONNECTION_STARTED);
	switch (next) {
	case PGRES_POLLING_READING:
	case PGRES_POLLING_WRITING:
		well = watch(conn, next == PGRES_POLLING_READING ? UV_READABLE : UV_WRITABLE);
		break;
	case PGRES_POLLING_OK:
		well = PQsetnonblocking(login_pg(conn->login), 1) == 0 && watch(conn, UV_READABLE);
		break;
	case PGRES_POLLING_FAILED:
	case PGRES_POLLING_ACTIVE:
		well = false;
	}
	if (!well)
		fail(conn);
	else if (next == PGRES_POLLING_OK)
		take_login(conn);
	(void)leave(conn);
}

static void batch_done(struct conn *conn)
{
	conn->state = CONN_IDLE;
	if (!conn->asked)
		PQexitPipelineMode(conn->pg);
	conn->events.done(conn->data);
}

/* Hands the owner a result of what was asked; false when there is no more to take now. */
static bool tell_result(struct conn *conn, const PGresult *result)
{
	enum batch_step step = BATCH_RESULT;
	int tag = 0;

	if (!conn->asked)
		step = batch_take(&conn->batch, result, &tag);
	if (step == BATCH_RESULT)
		conn->events.result(conn->data, tag, result);
	if (step == BATCH_DONE)
		batch_done(conn);
	return step != BATCH_DONE;
}

/* Takes one result; false when there is no more to take now. */
static bool take_result(struct conn *conn, const PGresult *result)
{
	switch (PQresultStatus(result)) {
	case PGRES_COPY_IN:
	case PGRES_COPY_OUT:
	case PGRES_COPY_BOTH:
		/* it is a statement of the user's whose protocol plusmoin does not speak: the connection ends */
		goodbye_say(&conn->goodbye, "0A000", "COPY is not possible here");
		fail(conn);
		return false;
	case PGRES_FATAL_ERROR:
		goodbye_take(&conn->goodbye, result);
		if (PQstatus(conn->pg) == CONNECTION_BAD || conn->goodbye.sqlstate[0] != '\0')
			return true; /* PQstatus, or the end of file, tells of the break */
		break;
	default:
		break;
	}
	return tell_result(conn, result);
}

/* PQgetResult() has returned NULL: what was asked is done, unless the server has ended the connection. */
static void end_asked(struct conn *conn)
{
	if (PQstatus(conn->pg) != CONNECTION_BAD && conn->goodbye.sqlstate[0] == '\0')
		batch_done(conn);
}

static void take_results(struct conn *conn)
{
	unsigned nothing = 0;

	while (!conn->closed && conn->state == CONN_BUSY && PQisBusy(conn->pg) == 0) {
		PGresult *result = PQgetResult(conn->pg);
		bool more;

		if (result == NULL && (conn->asked || !conn->batch.pipelined)) {
			end_asked(conn);
			return;
		}
		if (result == NULL) {
			if (++nothing > 1)
				return; /* two ends without a result between them: nothing to take */
			continue;
		}
		nothing = 0;
		more = take_result(conn, result);
		PQclear(result);
		if (!more)
			return;
	}
}

static void watch_traffic(struct conn *conn)
{
	int flushed;

	if (conn->closed || conn->state == CONN_DEAD)
		return;
	flushed = PQflush(conn->pg);
	if (PQstatus(conn->pg) == CONNECTION_BAD || flushed < 0 ||
	    !watch(conn, flushed > 0 ? UV_READABLE | UV_WRITABLE : UV_READABLE))
		fail(conn);
}

static void read_input(struct conn *conn)
{
	int got = PQconsumeInput(conn->pg);

	(void)PQisBusy(conn->pg); /* makes libpq parse what came: a notice on an idle connection is not taken else */
	take_results(conn);
	if (!conn->closed && got == 0)
		fail(conn);
	else
		watch_traffic(conn);
}

static void on_ready(uv_poll_t *handle, int status, int events)
{
	struct watcher *watcher = handle->data;
	struct conn *conn = watcher->conn;

	(void)status; /* it is UV_EBADF for a refused connect: libpq knows the reason */
	(void)events;
	if (conn == NULL)
		return;
	enter(conn);
	if (conn->state == CONN_CONNECTING) {
		drop_watcher(conn); /* libpq may change its descriptor: see libpq-notes.md */
		login_step(conn->login);
	} else if (conn->state != CONN_DEAD) {
		read_input(conn);
	}
	(void)leave(conn);
}

static void on_later(void *data)
{
	struct conn *conn = data;

	enter(conn);
	fail(conn);
	(void)leave(conn);
}

struct conn *conn_open(uv_loop_t *loop, const char *const *keywords, const char *const *values,
		       bool spares, const struct conn_events *events, void *data)
{
	struct conn *conn = mem_zalloc(1, sizeof(*conn));

	conn->loop = loop;
	conn->events = *events;
	conn->data = data;
	goodbye_begin(&conn->goodbye);
	conn->login = login_start(loop, keywords, values, spares, on_stepped, conn);
	return conn;
}

void conn_listen(struct conn *conn, const struct conn_events *events, void *data)
{
	conn->events = *events;
	conn->data = data;
}

/* Sends what libpq has queued. If it was not `queued`, or cannot be sent, `failed` is called from the loop later. */
static void send_queued(struct conn *conn, bool queued)
{
	int flushed = queued ? PQflush(conn->pg) : -1;

	if (flushed < 0 || !watch(conn, flushed > 0 ? UV_READABLE | UV_WRITABLE : UV_READABLE))
		timer_set(&conn->later, conn->loop, on_later, conn, 0);
}

void conn_ask(struct conn *conn, const char *sql, int param_count, const char *const *params)
{
	int sent = params == NULL ? PQsendQuery(conn->pg, sql)
				  : PQsendQueryParams(conn->pg, sql, param_count, NULL, params,
						      NULL, NULL, 0);

	conn->state = CONN_BUSY;
	conn->asked = true;
	send_queued(conn, sent == 1 && PQsetSingleRowMode(conn->pg) == 1);
}

void conn_send(struct conn *conn, const struct statement *statements, size_t count)
{
	conn->state = CONN_BUSY;
	conn->asked = false;
	send_queued(conn, batch_send(&conn->batch, conn->pg, statements, count));
}

bool conn_is_to_repeat(const struct conn *conn)
{
	return batch_is_to_repeat(&conn->batch);
}

bool conn_is_reaching(const struct conn *conn)
{
	return conn->state == CONN_CONNECTING && !conn->reached;
}

bool conn_has_reached(const struct conn *conn)
{
	PGconn *pg = present_pg(conn);

	/* the socket is asked, too, for on a busy machine the login's next step may still wait for a worker */
	return conn->reached || (conn->state == CONN_CONNECTING && pg != NULL && tcp_is_established(PQsocket(pg)));
}

bool conn_is_stepping(const struct conn *conn)
{
	return conn->login != NULL && login_is_stepping(conn->login);
}

bool conn_hangs(const struct conn *conn, struct evidence *evidence)
{
	return conn->login != NULL && login_hangs(conn->login, evidence);
}

bool conn_is_unacknowledged(const struct conn *conn)
{
	return tcp_is_unacknowledged(PQsocket(conn->pg));
}

int conn_fd(const struct conn *conn)
{
	return PQsocket(conn->pg);
}

int conn_server_version(const struct conn *conn)
{
	int version = PQserverVersion(conn->pg);

	return version > 0 && version < VERSION_MAX ? version : 0;
}

bool conn_in_transaction(const struct conn *conn)
{
	return PQtransactionStatus(conn->pg) == PQTRANS_INTRANS;
}

int conn_backend_pid(const struct conn *conn)
{
	return PQbackendPID(conn->pg);
}

void conn_leave(struct conn **conn_p, struct drain *drain)
{
	struct conn *conn = *conn_p;
	int fd = -1;

	if (conn != NULL && !conn->closed && conn->state == CONN_CONNECTING) {
		/* first: the drain keeps the socket, and epoll would report it by a number that is another's */
		drop_watcher(conn);
		login_leave(&conn->login, drain);
	} else if (drain != NULL && conn != NULL && !conn->closed && conn->state == CONN_BUSY) {
		fd = fcntl(PQsocket(conn->pg), F_DUPFD_CLOEXEC, 0);
	} else if (drain != NULL && conn != NULL && !conn->closed && conn->state == CONN_IDLE && conn->depth == 0) {
		drop_watcher(conn); /* before the drain takes the socket, as above */
		drain_finish(drain, conn->pg);
		conn->pg = NULL;
	}
	conn_close(conn_p);
	if (fd >= 0)
		drain_take(drain, fd);
}

void conn_close(struct conn **conn_p)
{
	struct conn *conn = *conn_p;

	*conn_p = NULL;
	if (conn == NULL || conn->closed)
		return;
	conn->closed = true;
	drop_watcher(conn);
	if (conn->depth == 0)
		finish(conn);
}
