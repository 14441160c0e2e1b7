#include "window/doors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define AT_ONCE 64   /* accepted in a turn: others have their turn, too */
#define FULL_MS 200  /* without a descriptor: when it is tried again */

struct door {
	uv_poll_t poll;
	uv_timer_t later; /* while no descriptor is free */
	int closing;      /* handles that are still there */
	struct doors *doors;
	struct port *port; /* a reference */
};

static void on_ready(uv_poll_t *poll, int status, int events);

static void on_later(uv_timer_t *timer)
{
	struct door *door = timer->data;

	(void)uv_poll_start(&door->poll, UV_READABLE, on_ready);
}

/* False: no more can be accepted now. */
static bool accept_one(struct door *door)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	int fd = accept4(door->port->fd, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		door->doors->came(door->doors->data, fd, (struct sockaddr *)&address, size);
		return true;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		(void)uv_poll_stop(&door->poll); /* it stays ready, and would be tried in each turn */
		(void)uv_timer_start(&door->later, on_later, FULL_MS, 0);
		return false;
	}
	return errno == EINTR || errno == ECONNABORTED;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	(void)events;
	for (int i = 0; status == 0 && i < AT_ONCE && accept_one(poll->data); i++)
		;
}

static void on_closed(uv_handle_t *handle)
{
	struct door *door = handle->data;

	if (--door->closing > 0)
		return;
	port_unref(&door->port);
	free(door);
}

static void shut(struct door *door)
{
	(void)uv_poll_stop(&door->poll);
	door->closing = 2;
	uv_close((uv_handle_t *)&door->poll, on_closed);
	uv_close((uv_handle_t *)&door->later, on_closed);
}

static struct door *door_new(struct doors *doors, struct port *port)
{
	struct door *door = mem_zalloc(1, sizeof(*door));

	door->doors = doors;
	door->port = port_ref(port);
	door->poll.data = door;
	door->later.data = door;
	(void)uv_timer_init(doors->loop, &door->later);
	(void)uv_poll_init(doors->loop, &door->poll, port->fd);
	(void)uv_poll_start(&door->poll, UV_READABLE, on_ready);
	return door;
}

void doors_open(struct doors *doors, uv_loop_t *loop, doors_came *came, void *data)
{
	*doors = (struct doors){ .loop = loop, .came = came, .data = data };
}

static bool has(const struct doors *doors, const struct port *port)
{
	for (size_t i = 0; i < doors->open.count; i++) {
		const struct door *door = doors->open.items[i];

		if (door->port == port)
			return true;
	}
	return false;
}

void doors_take(struct doors *doors, const struct terms *terms)
{
	for (size_t i = doors->open.count; i-- > 0;) {
		struct door *door = doors->open.items[i];

		if (terms == NULL || !list_has(&terms->ports, door->port)) {
			list_remove_at(&doors->open, i);
			shut(door);
		}
	}
	for (size_t i = 0; terms != NULL && i < terms->ports.count; i++) {
		if (!has(doors, terms->ports.items[i]))
			list_add(&doors->open, door_new(doors, terms->ports.items[i]));
	}
	if (doors->open.count == 0)
		list_free(&doors->open);
}
