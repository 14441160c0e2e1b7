#include "window/visitors.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "loop/clock.h"
#include "system/descriptors.h"

void visitors_init(struct visitors *visitors)
{
	TAILQ_INIT(&visitors->idle);
	TAILQ_INIT(&visitors->busy);
	visitors->count = 0;
}

static bool is_local(int fd)
{
	struct sockaddr_storage own = { 0 };
	socklen_t size = sizeof(own);

	return getsockname(fd, (struct sockaddr *)&own, &size) == 0 && own.ss_family == AF_UNIX;
}

static struct visitor *visitor_new(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct visitor *visitor = mem_zalloc(1, sizeof(*visitor));

	visitor->fd = info != NULL ? info->connect_fd : -1;
	visitor->is_local = is_local(visitor->fd);
	visitor->since_ms = clock_steady_ms();
	return visitor;
}

static void leave(struct visitors *visitors, struct visitor *visitor)
{
	TAILQ_REMOVE(visitor->is_busy ? &visitors->busy : &visitors->idle, visitor, in_list);
	visitors->count--;
	free(visitor);
}

void visitors_notified(void *data, struct MHD_Connection *connection, void **context,
		       enum MHD_ConnectionNotificationCode code)
{
	struct visitors *visitors = data;
	struct visitor *visitor;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (*context != NULL)
			leave(visitors, *context);
		*context = NULL;
		return;
	}
	visitor = visitor_new(connection);
	*context = visitor;
	visitors->count++;
	TAILQ_INSERT_TAIL(&visitors->idle, visitor, in_list);
}

struct visitor *visitors_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info != NULL ? info->socket_context : NULL;
}

void visitors_begin(struct visitors *visitors, struct visitor *visitor)
{
	if (visitor->is_busy)
		return;
	TAILQ_REMOVE(&visitors->idle, visitor, in_list);
	TAILQ_INSERT_TAIL(&visitors->busy, visitor, in_list);
	visitor->is_busy = true;
	visitor->is_stream = false;
	visitor->has_asked = true;
	visitor->since_ms = clock_steady_ms();
}

void visitors_end(struct visitors *visitors, struct visitor *visitor)
{
	if (!visitor->is_busy)
		return;
	TAILQ_REMOVE(&visitors->busy, visitor, in_list);
	visitor->is_busy = false;
	visitor->since_ms = clock_steady_ms();
	TAILQ_INSERT_TAIL(&visitors->idle, visitor, in_list);
}

bool visitors_are_many(const struct visitors *visitors)
{
	return visitors->count > VISITORS_MANY;
}

/*
 * Shuts the connection down, so that libmicrohttpd sees the end of its input and closes it. Until then the descriptor
 * stays valid, because no other thread closes it.
 */
static void send_away(struct visitor *visitor)
{
	if (!visitor->goes)
		(void)shutdown(visitor->fd, SHUT_RDWR);
	visitor->goes = true;
}

static bool is_late(const struct visitor *visitor, int64_t now_ms)
{
	int64_t most_ms = visitor->has_asked ? VISITORS_NEXT_MS : VISITORS_FIRST_MS;

	if (visitor->is_busy)
		most_ms = visitor->is_stream ? INT64_MAX : VISITORS_READ_MS;
	return now_ms - visitor->since_ms > most_ms;
}

static void sweep(const struct visitor_list *list, int64_t now_ms)
{
	struct visitor *visitor;

	for (visitor = TAILQ_FIRST(list); visitor != NULL; visitor = TAILQ_NEXT(visitor, in_list)) {
		if (is_late(visitor, now_ms))
			send_away(visitor);
	}
}

void visitors_sweep(struct visitors *visitors)
{
	int64_t now_ms = clock_steady_ms();

	sweep(&visitors->idle, now_ms);
	sweep(&visitors->busy, now_ms);
}

/* Returns the visitor that has been idle for longest; with `silent` of those that sent no request; NULL: none. */
static struct visitor *find_idle(const struct visitors *visitors, bool silent)
{
	struct visitor *visitor = TAILQ_FIRST(&visitors->idle);

	while (visitor != NULL && (visitor->goes || (silent && visitor->has_asked)))
		visitor = TAILQ_NEXT(visitor, in_list);
	return visitor;
}

/* Returns the visitor that has read its answer for longest, if for more than VISITORS_SLOW_MS; NULL: none. */
static struct visitor *find_slow_reader(const struct visitors *visitors)
{
	struct visitor *visitor = TAILQ_FIRST(&visitors->busy);

	while (visitor != NULL && (visitor->goes || visitor->is_stream))
		visitor = TAILQ_NEXT(visitor, in_list);
	return visitor != NULL && clock_steady_ms() - visitor->since_ms > VISITORS_SLOW_MS ? visitor : NULL;
}

bool visitors_make_room(struct visitors *visitors, int fd)
{
	bool is_scarce = descriptors_is_last(fd);
	struct visitor *visitor;

	if (visitors->count < VISITORS_MOST && !is_scarce)
		return true;
	visitor = find_idle(visitors, true);
	if (visitor == NULL && !is_scarce)
		visitor = find_idle(visitors, false);
	if (visitor == NULL)
		visitor = find_slow_reader(visitors);
	if (visitor != NULL)
		send_away(visitor);
	return visitor != NULL && !is_scarce; /* the descriptor of `visitor` is free only a moment later */
}
