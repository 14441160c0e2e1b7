#include "window/entrances.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

#define AT_ONCE 64   /* connections that are accepted before the loop goes on to other handles */
#define FULL_MS 200  /* until the next try when no descriptor is free */

struct entrance {
	uv_poll_t poll;
	uv_timer_t later; /* runs while no descriptor is free */
	int closing;      /* how many handles are not closed yet */
	struct entrances *entrances;
	struct port *port; /* a reference */
};

static void on_ready(uv_poll_t *poll, int status, int events);

static void on_later(uv_timer_t *timer)
{
	struct entrance *entrance = timer->data;

	(void)uv_poll_start(&entrance->poll, UV_READABLE, on_ready);
}

/* Accepts one connection. Returns false when no more can be accepted now. */
static bool accept_one(struct entrance *entrance)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	int fd = accept4(entrance->port->fd, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		entrance->entrances->came(entrance->entrances->data, fd, (struct sockaddr *)&address, size);
		return true;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		(void)uv_poll_stop(&entrance->poll); /* it stays readable, and would wake the loop in each turn */
		(void)uv_timer_start(&entrance->later, on_later, FULL_MS, 0);
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
	struct entrance *entrance = handle->data;

	if (--entrance->closing > 0)
		return;
	port_unref(&entrance->port);
	free(entrance);
}

static void shut(struct entrance *entrance)
{
	(void)uv_poll_stop(&entrance->poll);
	entrance->closing = 2;
	uv_close((uv_handle_t *)&entrance->poll, on_closed);
	uv_close((uv_handle_t *)&entrance->later, on_closed);
}

/* Accepts at the port. Where the kernel cannot watch it, the log says so, and clients there get no answer. */
static void open_at(struct entrances *entrances, struct port *port)
{
	struct entrance *entrance = mem_zalloc(1, sizeof(*entrance));
	int error = uv_poll_init(entrances->loop, &entrance->poll, port->fd);

	if (error != 0) {
		log_error("the window is shut at %s: %s", port->text, uv_strerror(error));
		free(entrance);
		return;
	}
	entrance->entrances = entrances;
	entrance->port = port_ref(port);
	entrance->poll.data = entrance;
	entrance->later.data = entrance;
	(void)uv_timer_init(entrances->loop, &entrance->later);
	(void)uv_poll_start(&entrance->poll, UV_READABLE, on_ready);
	list_add(&entrances->open, entrance);
}

void entrances_open(struct entrances *entrances, uv_loop_t *loop, entrances_came *came, void *data)
{
	*entrances = (struct entrances){ .loop = loop, .came = came, .data = data };
}

static bool has(const struct entrances *entrances, const struct port *port)
{
	for (size_t i = 0; i < entrances->open.count; i++) {
		const struct entrance *entrance = entrances->open.items[i];

		if (entrance->port == port)
			return true;
	}
	return false;
}

void entrances_take(struct entrances *entrances, const struct terms *terms)
{
	for (size_t i = entrances->open.count; i-- > 0;) {
		struct entrance *entrance = entrances->open.items[i];

		if (terms == NULL || !list_has(&terms->ports, entrance->port)) {
			list_remove_at(&entrances->open, i);
			shut(entrance);
		}
	}
	for (size_t i = 0; terms != NULL && i < terms->ports.count; i++) {
		if (!has(entrances, terms->ports.items[i]))
			open_at(entrances, terms->ports.items[i]);
	}
	if (entrances->open.count == 0)
		list_free(&entrances->open);
}
